// The sandbox's page: shows what the sandbox tells, again and again, and passes commands on.
//
// Texts from outside are only ever set as text. Credentials are hidden until they are asked for;
// copying gives them whole.

"use strict";

const POLL_MILLISECONDS = 1000;
const RESET_MILLISECONDS = 4000; // how long a second press counts
const SHOWN_CHARACTERS = 5; // of a credential that is hidden: those of test_

// For whom the page asks for a link token: any integration of any category will do.
const CATEGORIES = ["hris", "ats", "accounting", "ticketing", "crm", "mktg", "filestorage", "knowledgebase"];

const $ = (id) => document.getElementById(id);

let revealed = false;
let latest = null; // what the sandbox told
let begun = false; // the lists were filled once: what comes now is new

// ---- Asking ----

async function ask(path, options) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? `The sandbox answered ${answer.status}.`);
  return body;
}

function post(path, body, headers = {}) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

async function command(name, values, done) {
  try {
    await post(`/__sandbox__/${name}`, values);
    say(done);
  } catch (error) {
    say(explain(error));
  }
  await refresh();
}

// A fetch that got no answer says so in words for programmers.
const explain = (error) => (error instanceof TypeError ? "The sandbox gave no answer." : error.message);

// A status must change to be read out, and so must one that says the same again.
function say(text) {
  $("said").replaceChildren(make("span", "", text));
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL_MILLISECONDS);
}

async function refresh() {
  try {
    latest = await ask("/__sandbox__/overview");
  } catch {
    document.body.classList.add("gone");
    return setText($("state"), "does not answer: is it still running?");
  }
  document.body.classList.remove("gone");
  show();
}

// ---- Showing ----

function show() {
  const { url, seconds_ahead: ahead, faults } = latest;
  document.querySelector("main").hidden = false;
  const address = url.replace(/^https?:\/\//, "");
  setText($("state"), ahead ? `${address}, ${span(ahead)} ahead of time` : address);
  setText($("waiting"), faults ? `Faults that wait for requests: ${faults}` : "The next request meets no fault.");
  for (const [id, lines] of Object.entries(snippets())) {
    setText($(id), lines.map((line) => line.map(mask).join("")).join("\n"));
  }
  $("hook").hidden = !latest.webhook;
  const empty = latest.webhook ? "None was sent so far." : "Nowhere to send them: --webhook-url URL names a place.";
  setText($("deliveries").previousElementSibling, empty);
  for (const [id, row] of Object.entries(ROWS)) fill($(id), latest[id], row);
  begun = true;
}

// Each line in parts; a part that is hidden is in an object of its own.
function snippets() {
  const { url, api_key: key, ca_file: file, webhook } = latest;
  const quoted = (text) => (/^[\w.\/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
  const base = ["export MERGE_BASE_URL=", `${url}/api`];
  const secret = ["export MERGE_API_KEY=", { secret: /^[\w.-]+$/.test(key) ? key : quoted(key) }];
  return {
    backend: file ? [base, secret, ["export SSL_CERT_FILE=", quoted(file)]] : [base, secret],
    python: [["client = merge_link.Client()  # reads them"]],
    frontend: [[`<script src="${url}/initialize.js"></script>`]],
    webhook: webhook ? [[{ secret: webhook.key }]] : [],
  };
}

function mask(part) {
  if (typeof part === "string") return part;
  if (revealed) return part.secret;
  return part.secret.startsWith("test_") ? `${part.secret.slice(0, SHOWN_CHARACTERS)}••••••••` : "••••••••";
}

function span(seconds) {
  const minutes = Math.round(seconds / 60);
  if (minutes < 1) return `${Math.round(seconds)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

// ---- Lists ----
//
// A row that has not changed stays as it is, with the focus and whatever is selected in it.

function fill(list, items, row) {
  const before = new Map([...list.children].map((one) => [one.dataset.key, one]));
  const seen = new Map(); // how often a key came: two requests may look alike
  items.toReversed().forEach((item) => {
    item.key = JSON.stringify(item) + revealed;
    seen.set(item.key, (seen.get(item.key) ?? 0) + 1);
    item.key += seen.get(item.key);
  });
  items.forEach((item, index) => {
    let element = before.get(item.key);
    before.delete(item.key);
    if (!element) {
      element = row(item);
      element.dataset.key = item.key;
      if (begun) element.classList.add("new");
    }
    const there = list.children[index];
    if (there !== element) list.insertBefore(element, there ?? null);
  });
  for (const element of before.values()) element.remove();
  list.previousElementSibling.hidden = items.length > 0;
  setText(list.parentElement.querySelector(".count"), items.length || "");
}

const ROWS = {
  linked_accounts: (account) =>
    makeRow(
      [account.integration_name, whose(account), account.category],
      [badge(account.status, { COMPLETE: "good", RELINK_NEEDED: "wait" }[account.status]), clock(account.completed_at), secret(account.account_token)],
      [
        account.status !== "RELINK_NEEDED" && makeButton("Relink needed", `${account.integration_name} of ${account.end_user_organization_name} needs relinking`, () =>
          command("relink_needed", { account: account.id }, `${account.integration_name} needs relinking now.`)),
        makeCopy("Copy account token", account.account_token),
      ],
    ),
  link_tokens: (link) =>
    makeRow(
      [link.end_user_organization_name, link.end_user_origin_id, [link.categories.join(", "), link.integration_name].filter(Boolean).join(": ")],
      [badge(link.state, { ready: "good", expired: "wait" }[link.state]), `until ${time(link.expires_at)}`, secret(link.link_token)],
      link.state === "ready" && [link.magic_link && makeLink("Open", link.magic_link), makeCopy("Copy link token", link.link_token)],
    ),
  requests: (request) => {
    const element = document.createElement("li");
    const line = make("p", "mono", `${request.method} ${request.path}`);
    line.prepend(badge(request.status ?? "cut", statusTone(request.status)), " ");
    element.append(line, make("span", "quiet", `${request.milliseconds.toFixed(1)} ms, ${time(request.answered_at)}`));
    return element;
  },
  deliveries: (delivery) => {
    const tone = { delivered: "good", waiting: "wait", failed: "bad" }[delivery.state];
    const answer = delivery.problem ?? (delivery.status && `answered ${delivery.status}`);
    const attempts = delivery.attempts === 1 ? "1 attempt" : `${delivery.attempts} attempts`;
    return makeRow([delivery.event], [badge(delivery.state, tone), clock(delivery.created_at), attempts, answer, delivery.url]);
  },
};

const whose = (one) => `${one.end_user_organization_name} (${one.end_user_origin_id})`;
const secret = (text) => revealed && make("span", "mono", text);

function statusTone(status) {
  if (status === null || status >= 500) return "bad";
  return status >= 400 ? "wait" : "good";
}

// A heading with what belongs to it, facts below, buttons at the end.
function makeRow([name, ...more], facts, buttons) {
  const element = document.createElement("li");
  const words = document.createElement("div");
  const title = make("p", "", "");
  title.append(make("strong", "", name), " ", make("span", "quiet", more.join(" · ")));
  const below = make("p", "quiet", "");
  facts.filter(Boolean).forEach((fact, index) => below.append(...[[], [" "]][index] ?? [" · "], fact));
  words.append(title, below);
  const end = make("div", "end", "");
  if (buttons) end.append(...buttons.filter(Boolean));
  element.append(words, end);
  return element;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

const badge = (text, tone = "") => make("span", `badge ${tone}`, String(text).replaceAll("_", " ").toLowerCase());

function makeButton(text, label, press) {
  const button = make("button", "", text);
  button.type = "button";
  if (label) button.ariaLabel = label;
  button.addEventListener("click", press);
  return button;
}

const makeCopy = (label, text) => makeButton("Copy token", label, () => copy(text));

function makeLink(text, path) {
  const link = make("a", "button", text);
  link.href = path;
  link.target = "_blank";
  link.rel = "noopener";
  link.ariaLabel = "Open the Link page of this link token";
  return link;
}

const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString();

function clock(seconds) {
  const element = make("time", "", time(seconds));
  element.dateTime = new Date(seconds * 1000).toISOString();
  return element;
}

function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

// ---- What a person does ----

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say("Copied.");
  } catch {
    say("The browser does not let this page copy: show credentials, and select the text.");
  }
}

function copySnippet(event) {
  const { id } = event.currentTarget.parentElement.querySelector("pre");
  const whole = snippets()[id].map((line) => line.map((part) => part.secret ?? part).join(""));
  copy(whole.join("\n"));
}

function reveal() {
  revealed = !revealed;
  $("reveal").ariaPressed = String(revealed);
  setText($("reveal"), revealed ? "Hide credentials" : "Show credentials");
  begun = false; // nothing has come
  if (latest) show();
}

// The window must open with the press, or it counts as a pop-up.
async function linkAccount() {
  const page = open("about:blank", "_blank");
  const number = Math.random().toString(16).slice(2, 6);
  const order = {
    end_user_email_address: "hr@acme.example",
    end_user_organization_name: "Acme",
    end_user_origin_id: `acme-${number}`,
    categories: CATEGORIES,
    should_create_magic_link_url: true,
  };
  try {
    const link = await post("/api/integrations/create-link-token", order, { Authorization: `Bearer ${latest.api_key}` });
    const path = new URL(link.magic_link_url).pathname;
    if (page) page.location.replace(path);
    say(page ? "The Link page has opened in a window of its own." : "Open the new link token in the list.");
  } catch (error) {
    page?.close();
    say(`No link token: ${explain(error)}`);
  }
  await refresh();
}

let armed = 0; // the timer that makes a second press count no more

function reset() {
  clearTimeout(armed);
  const again = armed;
  armed = 0;
  setText($("reset"), "Reset everything");
  if (again) return command("reset", {}, "All is as at the beginning.");
  setText($("reset"), "Really forget everything?");
  say("Press again to forget tokens, accounts, requests and faults.");
  armed = setTimeout(() => {
    armed = 0;
    setText($("reset"), "Reset everything");
  }, RESET_MILLISECONDS);
}

// ---- ----

$("reveal").addEventListener("click", reveal);
$("link").addEventListener("click", linkAccount);
$("reset").addEventListener("click", reset);
for (const button of document.querySelectorAll(".snippet .copy")) button.addEventListener("click", copySnippet);
for (const button of document.querySelectorAll("[data-command]")) {
  const { command: name, with: values, done } = button.dataset;
  button.addEventListener("click", () => command(name, JSON.parse(values), done));
}
poll();
