// The Link page: choose an integration, sign in, done.
//
// In a window of its own it belongs to a magic link, whose code ends the address. In the dialog
// of initialize.js it is told a link token, and tells back what happened. Texts from outside are
// only ever set as text.

"use strict";

const WRONG_PASSWORD = "wrong";

const CATEGORIES = {
  accounting: "Accounting",
  ats: "Recruiting",
  crm: "CRM",
  filestorage: "File storage",
  hris: "HR",
  knowledgebase: "Knowledge base",
  mktg: "Marketing",
  ticketing: "Ticketing",
};

const $ = (id) => document.getElementById(id);
const magicLinkCode = location.pathname.split("/").pop();
const inDialog = magicLinkCode === "";

let ticket = { magic_link_code: magicLinkCode }; // what the server asks for
let session = null; // what the server told
let chosen = null; // the integration to sign in to
let appOrigin = null; // of the page around the dialog, once it has spoken

// ---- Steps ----

function show(step) {
  document.body.dataset.step = step;
  $("back").hidden = step !== "sign-in" || !session.may_choose;
  document.querySelector("main").scrollTop = 0;
  const title = document.querySelector(`#${step} h1`).textContent;
  document.title = `${title} – Link (sandbox)`;
  focusStep();
}

function focusStep() {
  const step = document.body.dataset.step;
  const target = step === "sign-in" ? $("user") : document.querySelector(`#${step} h1`);
  target.focus(); // which does nothing while the dialog is not open
}

function setText(selector, text) {
  for (const element of document.querySelectorAll(selector)) element.textContent = text;
}

async function begin() {
  const answer = await ask("session");
  if (!answer) return;
  session = answer;
  setText(".organization", session.organization);
  const opening = session.integrations.find((one) => one.slug === session.integration);
  $("search").value = "";
  showIntegrations();
  if (opening) signInTo(opening);
  else show("choose");
  tell({ type: "ready" });
}

// What the server answers; nothing if it refused, which is shown then.
async function ask(what, more = {}) {
  let answer, body;
  try {
    answer = await fetch(`/link/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ ...ticket, ...more }),
    });
    body = await answer.json();
  } catch {
    body = {};
  }
  if (answer?.ok) return body;
  refuse(body);
  return null;
}

function refuse({ reason, detail }) {
  if (reason === "integration") {
    complain("This integration cannot be linked here.", []);
  } else if (["unknown", "used", "expired"].includes(reason)) {
    show(reason);
    tell({ type: "refused", reason, detail });
  } else {
    show("failed");
  }
}

// ---- Choosing ----

function showIntegrations() {
  const words = $("search").value.toLowerCase().split(/\s+/);
  const fits = (one) => words.every((word) => describe(one).toLowerCase().includes(word));
  const found = session.integrations.filter(fits);
  $("integrations").replaceChildren(...found.map(makeItem));
  const all = found.length === session.integrations.length;
  $("found").textContent = all ? "" : count(found.length);
}

function count(number) {
  if (number === 0) return "No integration is called that.";
  return number === 1 ? "1 integration" : `${number} integrations`;
}

const categoriesOf = (one) => one.categories.map((name) => CATEGORIES[name] ?? name).join(", ");
const describe = (one) => `${one.name} ${one.slug} ${categoriesOf(one)}`;

function makeItem(integration) {
  const button = make("button", "", integration.name);
  button.type = "button";
  button.prepend(makeTile(integration));
  const kinds = new Set(session.integrations.map(categoriesOf));
  if (kinds.size > 1) button.append(make("small", "", categoriesOf(integration)));
  button.addEventListener("click", () => signInTo(integration));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function makeTile(integration) {
  const [first, second] = integration.name.split(/\s+/);
  const initials = second ? first[0] + second[0] : first.slice(0, 2);
  const tile = make("span", "tile", initials);
  tile.style.setProperty("--hue", integration.color);
  tile.setAttribute("aria-hidden", "true");
  return tile;
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}

// ---- Signing in ----

function signInTo(integration) {
  chosen = integration;
  setText(".integration", integration.name);
  document.querySelector("#sign-in > .tile").replaceWith(makeTile(integration));
  $("credentials").reset();
  complain("", []);
  show("sign-in");
}

// An alert must change to be read out, and so must one that says the same again.
function complain(problem, inputs) {
  for (const input of [$("user"), $("password")]) {
    input.setAttribute("aria-invalid", String(inputs.includes(input)));
  }
  $("problem").replaceChildren(...(problem ? [make("span", "", problem)] : []));
  inputs[0]?.focus();
}

async function signIn() {
  const form = $("credentials");
  const empty = [$("user"), $("password")].filter((input) => !input.value);
  if (form.ariaBusy === "true") return;
  if (empty.length) return complain("Enter a user name and a password.", empty);
  if ($("password").value === WRONG_PASSWORD) {
    complain("That password is wrong. Try another.", [$("password")]);
    return $("password").select();
  }
  complain("", []);
  form.ariaBusy = "true";
  const answer = await ask("complete", { integration: chosen.slug });
  form.ariaBusy = "false";
  form.reset();
  if (!answer) return;
  show("done");
  tell({ type: "linked", publicToken: answer.public_token });
}

function cancel() {
  if (inDialog) return tell({ type: "close" });
  $("credentials").reset();
  show("cancelled");
}

// ---- The page around the dialog ----

function tell(message) {
  if (appOrigin) parent.postMessage({ mergeLink: message }, appOrigin);
}

function hear(event) {
  const message = event.data?.mergeLink;
  if (!message || event.source !== parent) return;
  appOrigin ??= event.origin;
  if (event.origin !== appOrigin) return;
  if (message.type === "load") {
    ticket = { link_token: message.linkToken };
    begin();
  } else if (message.type === "show") {
    focusStep();
  }
}

function closeOnEscape(event) {
  const clears = event.target === $("search") && $("search").value;
  if (event.key === "Escape" && !clears) tell({ type: "close" });
}

// ---- ----

$("search").addEventListener("input", showIntegrations);
$("back").addEventListener("click", () => show("choose"));
$("cancel").addEventListener("click", cancel);
$("again").addEventListener("click", begin);
$("retry").addEventListener("click", begin);
for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
$("credentials").addEventListener("submit", signIn);

if (inDialog && parent !== window) {
  document.body.classList.add("dialog");
  $("close").hidden = false;
  $("leave").hidden = true;
  $("finish").hidden = false;
  for (const id of ["close", "finish"]) $(id).addEventListener("click", () => tell({ type: "close" }));
  addEventListener("keydown", closeOnEscape);
  addEventListener("message", hear);
} else if (inDialog) {
  show("unknown"); // somebody opened the dialog's page by itself
} else if (document.body.dataset.step === "loading") {
  begin();
}
