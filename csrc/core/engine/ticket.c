#include "ticket.h"
#include "../error.h"
#include "flow.h"

#include <stdlib.h>

static const ml_error all_well = ML_STATIC_ERROR(ML_OK, "");
static const ml_error no_memory = ML_STATIC_ERROR(ML_ERR_MEMORY, "out of memory");

ml_ticket *ml_ticket_new(const ml_submit_options *options, ml_terms *terms, ml_mailbox *mailbox) {
    ml_ticket *ticket = calloc(1, sizeof *ticket);
    if (ticket == NULL) return NULL;
    ticket->letter = (ml_letter){.news = {.context = options->context}, .ticket = ticket};
    ticket->generation = ml_process_generation();
    ticket->timeout = options->timeout;
    ticket->max_retries = options->max_retries;
    ticket->tells_attempts = options->tells_attempts;
    ticket->flow = ml_flow_keep(options->flow);
    ticket->terms = ml_terms_keep(terms);
    ticket->mailbox = mailbox;
    return ticket;
}

void ml_ticket_free(ml_ticket *ticket) {
    if (ticket == NULL) return;
    ml_request_free(ticket->letter.news.request);
    ml_response_free(ticket->letter.news.response);
    if (ticket->failure != NULL) ml_error_clear(ticket->failure);
    free(ticket->failure);
    ml_flow_leave(ticket->flow);
    ml_terms_leave(ticket->terms);
    free(ticket);
}

void ml_ticket_conclude_with(ml_ticket *ticket, const ml_error *error) {
    ticket->letter.news.is_over = true;
    ticket->letter.news.error = error;
}

void ml_ticket_conclude(ml_ticket *ticket, ml_response *response, ml_error *error) {
    ml_ticket_conclude_with(ticket, &all_well);
    ticket->letter.news.response = response;
    if (error->status == ML_OK) return;
    ml_error *failure = ticket->failure = malloc(sizeof *failure);
    ml_ticket_conclude_with(ticket, failure != NULL ? failure : &no_memory);
    if (failure != NULL) {
        *failure = *error; /* with what it owns */
        ml_error_init(error);
    }
    ml_error_clear(error);
}

/* ---- lists ---- */

void ml_tickets_add(ml_tickets *list, ml_ticket *ticket) {
    ticket->list = list;
    ticket->next = NULL;
    ticket->before = list->last;
    *(list->last != NULL ? &list->last->next : &list->first) = ticket;
    list->last = ticket;
}

void ml_tickets_add_first(ml_tickets *list, ml_ticket *ticket) {
    ticket->list = list;
    ticket->before = NULL;
    ticket->next = list->first;
    *(list->first != NULL ? &list->first->before : &list->last) = ticket;
    list->first = ticket;
}

void ml_ticket_unlist(ml_ticket *ticket) {
    ml_tickets *list = ticket->list;
    if (list == NULL) return;
    *(ticket->before != NULL ? &ticket->before->next : &list->first) = ticket->next;
    *(ticket->next != NULL ? &ticket->next->before : &list->last) = ticket->before;
    ticket->list = NULL;
}
