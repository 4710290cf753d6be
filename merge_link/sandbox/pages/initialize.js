// What an app's page loads in place of the vendor's initialize.js: it defines window.MergeLink,
// which shows the sandbox's Link page in a dialog. Where the vendor's documents leave something
// open, this is the sandbox's choice:
//
// - The callbacks come in this order: onReady; onSuccess, as soon as the account is linked if
//   shouldSendTokenOnSuccessfulLink is true, else when the dialog is closed; last onExit, whenever
//   the dialog is closed.
// - onValidationError gets a list of {detail, problem_type}, for arguments that are no good
//   (INVALID_ARGUMENT) and for a link token that is (LINK_TOKEN_UNKNOWN, _USED or _EXPIRED). Nothing
//   is ever thrown; without that callback the console tells.
// - parentContainerID names the element that the dialog is put into, in place of the body. It
//   covers the page there too.
// - tenantConfig.apiBaseURL must be a URL, and leads nowhere: all that is linked here is the sandbox's.

(() => {
  "use strict";

  const script = document.currentScript;
  if (!script) throw new Error("MergeLink: initialize.js must be loaded by <script src>");
  const PAGE = new URL("link/", script.src);

  const STYLE = `
    dialog {
      width: 480px; height: min(680px, 100dvh - 32px);
      max-width: none; max-height: none; padding: 0; border: 0;
      border-radius: 16px; overflow: hidden; color-scheme: light dark;
      background: Canvas; box-shadow: 0 16px 48px rgb(0 0 0 / .24);
    }
    dialog::backdrop { background: rgb(12 16 24 / .45); }
    iframe { display: block; width: 100%; height: 100%; border: 0; color-scheme: light dark; }
    @media (max-width: 520px) {
      dialog { width: 100vw; height: 100dvh; border-radius: 0; }
    }
  `;

  let config = null; // of the latest initialize, update or openLink
  let link = null; // what became of its link token: {token, view, ready, publicToken, sent}

  // ---- What the app calls ----

  function initialize(given) {
    const wanted = defined(given);
    if (!accept(wanted)) return;
    const other = prepare(wanted);
    if (!other && link.ready) queueMicrotask(() => call(wanted.onReady));
  }

  function update(given) {
    const wanted = { ...config, ...defined(given) };
    if (accept(wanted)) prepare(wanted);
  }

  function openLink(given) {
    const wanted = { ...config, ...defined(given) };
    if (!accept(wanted)) return;
    prepare(wanted);
    whenParsed(open);
  }

  // ---- One link token after the other ----

  // A page that renders again initializes again: what is there for the same link token stays.
  // Returns whether the link token is another one.
  function prepare(wanted) {
    const other = link?.token !== wanted.linkToken;
    if (other) close();
    config = wanted;
    if (other) {
      link = { token: config.linkToken, view: makeView(), ready: false, publicToken: null, sent: false };
      whenParsed(() => link.view && (findContainer() ?? document.body).append(link.view.host));
    }
    return other;
  }

  function open() {
    const container = findContainer();
    if (!container) {
      complain([invalid(`parentContainerID: no element has the id "${config.parentContainerID}"`)]);
      return;
    }
    if (!link.view?.host.isConnected) link.view = makeView();
    const { view } = link;
    if (view.open) return;
    if (view.host.parentNode !== container) {
      view.loaded = false; // a frame that moves loads again
      container.append(view.host);
    }
    view.open = true;
    view.dialog.showModal();
    view.frame.focus();
    tell({ type: "show" });
  }

  function close() {
    if (!link?.view) return;
    const { view } = link;
    const { onExit } = config;
    view.dialog.close(); // gives the focus back
    view.host.remove();
    link.view = null;
    if (!view.open) return;
    sendToken();
    call(onExit);
  }

  function sendToken() {
    if (!link.publicToken || link.sent) return;
    link.sent = true;
    call(config.onSuccess, link.publicToken, { isTokenForOtherPreexistingLinkedAccount: false });
  }

  // ---- The dialog, in a shadow tree that no style of the app's reaches ----

  function makeView() {
    const host = document.createElement("div");
    host.id = "merge-link";
    const root = host.attachShadow({ mode: "open" }); // open for the app's own browser tests
    const style = new CSSStyleSheet();
    style.replaceSync(STYLE);
    root.adoptedStyleSheets = [style];
    const dialog = document.createElement("dialog");
    dialog.ariaLabel = "Link an account";
    const frame = document.createElement("iframe");
    frame.title = "Link an account";
    frame.src = PAGE;
    const view = { host, dialog, frame, loaded: false, open: false };
    frame.addEventListener("load", () => greet(view));
    dialog.addEventListener("close", () => view === link?.view && close()); // by Escape, say
    dialog.append(frame);
    root.append(dialog);
    return view;
  }

  function findContainer() {
    const id = config.parentContainerID;
    return id === undefined ? document.body : document.getElementById(id);
  }

  function whenParsed(act) {
    if (document.body) act();
    else document.addEventListener("DOMContentLoaded", act, { once: true });
  }

  // ---- Messages: only to the sandbox's origin, and only from the frame that shows its page ----

  function greet(view) {
    if (view !== link?.view) return;
    view.loaded = true;
    tell({ type: "load", linkToken: link.token });
    if (view.open) tell({ type: "show" });
  }

  function tell(message) {
    const { frame, loaded } = link.view;
    if (loaded) frame.contentWindow.postMessage({ mergeLink: message }, PAGE.origin);
  }

  function hear(event) {
    if (event.origin !== PAGE.origin || event.source !== link?.view?.frame.contentWindow) return;
    const message = event.data?.mergeLink;
    if (message?.type === "ready" && !link.ready) {
      link.ready = true;
      call(config.onReady);
    } else if (message?.type === "linked") {
      link.publicToken = message.publicToken;
      if (config.shouldSendTokenOnSuccessfulLink) sendToken();
    } else if (message?.type === "refused") {
      const problem_type = `LINK_TOKEN_${message.reason.toUpperCase()}`;
      complain([{ detail: message.detail, problem_type }]);
    } else if (message?.type === "close") {
      close();
    }
  }

  // ---- Arguments and callbacks ----

  const isText = (value) => typeof value === "string" && value.length > 0;
  const isFunction = (value) => typeof value === "function";

  const RULES = [
    ["linkToken", isText, "must be a string that is not empty", "required"],
    ["onSuccess", isFunction, "must be a function", "required"],
    ["onReady", isFunction, "must be a function"],
    ["onExit", isFunction, "must be a function"],
    ["onValidationError", isFunction, "must be a function"],
    ["shouldSendTokenOnSuccessfulLink", (value) => typeof value === "boolean", "must be true or false"],
    ["parentContainerID", isText, "must be the id of an element"],
    ["tenantConfig", (value) => typeof value === "object", "must be an object"],
  ];

  function defined(given) {
    const pairs = Object.entries(given ?? {});
    return Object.fromEntries(pairs.filter(([, value]) => value !== undefined && value !== null));
  }

  function accept(wanted) {
    const problems = RULES.filter(([name, fits, , required]) =>
      name in wanted ? !fits(wanted[name]) : required,
    ).map(([name, , rule]) => invalid(`${name} ${rule}`));
    const url = wanted.tenantConfig?.apiBaseURL ?? PAGE;
    if (!URL.canParse(url)) problems.push(invalid("tenantConfig.apiBaseURL must be a URL"));
    if (problems.length) complain(problems, wanted);
    return problems.length === 0;
  }

  function invalid(detail) {
    return { detail, problem_type: "INVALID_ARGUMENT" };
  }

  function complain(problems, to = config) {
    if (isFunction(to.onValidationError)) call(to.onValidationError, problems);
    else console.error(`MergeLink: ${problems.map(({ detail }) => detail).join("; ")}`);
  }

  // What a callback throws is the app's to see, and must not keep the next one from being called.
  function call(callback, ...values) {
    try {
      callback?.(...values);
    } catch (error) {
      reportError(error);
    }
  }

  addEventListener("message", hear);
  window.MergeLink = { initialize, update, openLink };
})();
