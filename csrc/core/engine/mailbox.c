#include "mailbox.h"
#include "engine.h"
#include "ticket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* ---- letters ---- */

void ml_letters_add(ml_letters *letters, ml_letter *letter) {
    letter->next = NULL;
    *(letters->first != NULL ? &letters->last->next : &letters->first) = letter;
    letters->last = letter;
}

ml_letter *ml_letters_take(ml_letters *letters) {
    ml_letter *letter = letters->first;
    if (letter != NULL) letters->first = letter->next;
    return letter;
}

void ml_letters_free(ml_letters *letters) {
    for (ml_letter *letter; (letter = ml_letters_take(letters)) != NULL;)
        ml_news_free(&letter->news);
}

void ml_news_free(ml_news *news) {
    if (news == NULL) return;
    if (news->is_over)
        ml_ticket_free(((ml_letter *)news)->ticket);
    else
        free(news);
}

/* Its texts stand behind it. */
ml_letter *ml_letter_of_attempt(ml_ticket *ticket, const ml_attempt *attempt) {
    const char *const texts[] = {attempt->host, attempt->path, attempt->url, attempt->code};
    const char *copies[sizeof texts / sizeof *texts];
    size_t size = sizeof(ml_letter) + attempt->headers.length;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += strlen(texts[i]) + 1;
    ml_letter *letter = malloc(size);
    if (letter == NULL) return NULL;
    char *at = (char *)(letter + 1);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t length = strlen(texts[i]) + 1;
        copies[i] = memcpy(at, texts[i], length);
        at += length;
    }
    *letter = (ml_letter){
        .news = {.context = ticket->letter.news.context, .attempt = *attempt},
        .ticket = ticket,
    };
    ml_attempt *copy = &letter->news.attempt;
    copy->host = copies[0];
    copy->path = copies[1];
    copy->url = copies[2];
    copy->code = copies[3];
    if (attempt->headers.length > 0)
        copy->headers.data = memcpy(at, attempt->headers.data, attempt->headers.length);
    return letter;
}

/* ---- fork ---- */

/* What is in it, and what is to come, is the parent's. What was submitted there stays as it is in
 * the child: its engine's thread may have been at work on it. */
static void after_in_child(ml_forkable *forkable) {
    ml_mailbox *mailbox = (ml_mailbox *)forkable;
    ml_bell_renew(&mailbox->bell);
    mailbox->arrived = mailbox->at_hand = (ml_letters){0};
    mailbox->tickets = NULL;
    mailbox->is_ringing = mailbox->is_due = false;
}

/* ---- life ---- */

ml_mailbox *ml_mailbox_new(void) {
    ml_mailbox *mailbox = calloc(1, sizeof *mailbox);
    if (mailbox == NULL) return NULL;
    mailbox->forkable.in_child = after_in_child;
    if (!ml_process_init() || !ml_bell_make(&mailbox->bell)) {
        free(mailbox);
        return NULL;
    }
    ml_process_add(&mailbox->forkable);
    return mailbox;
}

void ml_mailbox_free(ml_mailbox *mailbox) {
    if (mailbox == NULL) return;
    ml_process_remove(&mailbox->forkable);
    ml_process_lock();
    for (ml_ticket *ticket = mailbox->tickets, *next; ticket != NULL; ticket = next) {
        next = ticket->next_expected;
        ticket->mailbox = NULL;
        ml_engine_cancel(ticket);
    }
    ml_process_unlock();
    ml_letters_free(&mailbox->at_hand);
    ml_letters_free(&mailbox->arrived);
    ml_bell_free(&mailbox->bell);
    free(mailbox);
}

/* ---- arriving ---- */

void ml_mailbox_expect(ml_ticket *ticket) {
    ml_ticket **first = &ticket->mailbox->tickets;
    ticket->next_expected = *first;
    ticket->expected_at = first;
    if (*first != NULL) (*first)->expected_at = &ticket->next_expected;
    *first = ticket;
}

void ml_mailbox_forget(ml_ticket *ticket) {
    if (ticket->mailbox == NULL) return;
    *ticket->expected_at = ticket->next_expected;
    if (ticket->next_expected != NULL) ticket->next_expected->expected_at = ticket->expected_at;
}

/* Whether it must be rung is seen when all letters are in it: whoever waits for it wakes once. */
static void put_in(ml_mailbox *mailbox, ml_letter *letter, ml_mailbox **due) {
    ml_letters_add(&mailbox->arrived, letter);
    if (mailbox->is_ringing || mailbox->is_due) return;
    mailbox->is_due = true;
    mailbox->next_due = *due;
    *due = mailbox;
}

void ml_mailbox_post(ml_letters *letters, bool rings) {
    ml_letters orphans = {0};
    ml_mailbox *due = NULL;
    for (ml_letter *letter; (letter = ml_letters_take(letters)) != NULL;) {
        ml_ticket *ticket = letter->ticket;
        if (letter->news.is_over) {
            ml_mailbox_forget(ticket);
            ticket->engine = NULL;
        }
        if (ticket->mailbox != NULL)
            put_in(ticket->mailbox, letter, &due);
        else
            ml_letters_add(&orphans, letter);
    }
    for (; due != NULL; due = due->next_due) {
        due->is_due = false;
        due->is_ringing = rings;
        if (rings) ml_bell_ring(&due->bell);
    }
    *letters = orphans;
}

/* ---- taking ---- */

int ml_mailbox_descriptor(const ml_mailbox *mailbox) {
    return mailbox->bell.ear;
}

bool ml_mailbox_wait(ml_mailbox *mailbox, double seconds) {
    struct pollfd ear = {.fd = mailbox->bell.ear, .events = POLLIN};
    /* Rounded up: a wait of less than a millisecond must not become a busy loop. */
    double milliseconds = seconds > 0.0 ? seconds * 1000.0 + 1.0 : 0.0;
    return poll(&ear, 1, milliseconds < 2e9 ? (int)milliseconds : 2000000000) > 0;
}

/* The lock is taken once for all that have arrived; the bell is quiet only when none is left. */
static void fetch(ml_mailbox *mailbox) {
    ml_process_lock();
    mailbox->at_hand = mailbox->arrived;
    mailbox->arrived = (ml_letters){0};
    if (mailbox->at_hand.first == NULL && mailbox->is_ringing) {
        mailbox->is_ringing = false;
        ml_bell_quiet(&mailbox->bell);
    }
    ml_process_unlock();
}

ml_news *ml_mailbox_take(ml_mailbox *mailbox) {
    if (mailbox->at_hand.first == NULL) fetch(mailbox);
    ml_letter *letter = ml_letters_take(&mailbox->at_hand);
    if (letter == NULL) return NULL;
    if (mailbox->at_hand.first == NULL) fetch(mailbox);
    return &letter->news;
}
