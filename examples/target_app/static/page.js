// The sign-in page: a number, perhaps a proof, a code.

import { CannotSolve, solve } from "./solve.js";

const $ = (id) => document.getElementById(id);
const SLOW = 4_000; // ms after which a word about older devices helps
const PROOFS = 2; // more would not help who is challenged again with a fresh proof

let working = null; // the AbortController of the request that is on its way
let waiting = 0; // the timer of the countdown

// What a person reads

function clear() {
  $("problem").textContent = "";
  $("status").textContent = "";
  for (const name of ["phone", "code"]) {
    $(name).removeAttribute("aria-invalid");
    $(`${name}-error`).hidden = true;
  }
}

function complain(text, field) {
  if (!field) {
    $("problem").textContent = text;
    return;
  }
  $(`${field}-error`).textContent = text;
  $(`${field}-error`).hidden = false;
  $(field).setAttribute("aria-invalid", "true");
  $(field).focus();
}

function inWords(seconds) {
  const [count, unit] =
    seconds < 100 ? [seconds, "second"]
    : seconds < 6_000 ? [Math.ceil(seconds / 60), "minute"]
    : [Math.ceil(seconds / 3_600), "hour"];
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}

/** Says what a refusal means, and where. */
function explain(reply) {
  if (reply.status === 422) {
    complain("We can’t read this as a phone number. Start with + and the country code.", "phone");
    return;
  }
  switch (reply.problem) {
    case "throttled":
      complain(reply.wait
        ? `Too many codes were asked for. Please try again in ${inWords(reply.wait)}.`
        : "Too many codes were asked for. Please try again later.");
      break;
    case "blocked":
      complain("We can’t send a code to this number. Please check it, or use another one.", "phone");
      break;
    case "challenge":
      complain("We could not make sure that you are a person. Please try again later.");
      break;
    default:
      complain(reply.status >= 500
        ? "We can’t send codes right now. Please try again in a few minutes."
        : "That did not work. Please load this page again.");
  }
}

// What goes over the wire

async function post(path, body, signal, headers = {}) {
  const reply = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
    signal,
  });
  const said = await reply.json().catch(() => ({}));
  const problem = reply.ok ? "" : String(said.type ?? "").split("/").pop();
  return { status: reply.status, ok: reply.ok, problem, said,
           wait: Number(reply.headers.get("Retry-After")) || 0 };
}

async function prove(posed, signal) {
  const slow = setTimeout(() => { $("proof-slow").hidden = false; }, SLOW);
  $("proof").hidden = false;
  $("status").textContent = $("proof-label").textContent;
  try {
    return await solve(posed, signal);
  } finally {
    clearTimeout(slow);
    $("proof").hidden = $("proof-slow").hidden = true;
    $("status").textContent = "";
  }
}

// A solution that no message has gone out for: refused requests do not use it up.
let unused = null;

async function requestCode(phone, signal) {
  const send = (solution) =>
    post("/otp/send", { phone }, signal, solution ? { "X-Challenge-Solution": solution } : {});
  let solution = unused?.phone === phone ? unused.solution : null;
  let reply = await send(solution);
  for (let proofs = 0; proofs < PROOFS && reply.problem === "challenge"; proofs++) {
    solution = await prove(reply.said.challenge, signal);
    reply = await send(solution);
  }
  unused = solution && !reply.ok ? { phone, solution } : null;
  return reply;
}

/** Runs one thing at a time, and tells the person what became of it. */
async function during(work) {
  if (working) return;
  working = new AbortController();
  clear();
  const before = document.activeElement;
  const enabled = [...document.querySelectorAll("form button:enabled")];
  enabled.forEach((button) => { button.disabled = true; });
  const unlock = () => enabled.forEach((button) => { button.disabled = false; });
  try {
    const then = await work(working.signal);
    unlock(); // what is disabled cannot be focused
    then();
  } catch (error) {
    unlock();
    if (error instanceof CannotSolve) complain(error.message);
    else if (error.name === "AbortError") $("status").textContent = "Cancelled.";
    else complain("We can’t be reached. Please check your connection and try again.");
  } finally {
    working = null;
    // Whoever works by keyboard goes on where they were, if no step has put them elsewhere.
    const now = document.activeElement;
    if (now === document.body || !now.getClientRects().length) before?.focus();
  }
}

// The steps

function sendCode() {
  const phone = $("phone").value.trim();
  if (!phone) {
    clear();
    complain("Please enter your mobile number.", "phone");
    return;
  }
  during(async (signal) => {
    const reply = await requestCode(phone, signal);
    return () => {
      if (reply.wait) countDown(reply.wait);
      if (!reply.ok) {
        if (reply.status === 422 || reply.problem === "blocked") showStep("ask");
        explain(reply);
        return;
      }
      showStep("enter");
      $("sent-to").textContent = `We have sent a code to ${phone}.`;
      $("status").textContent = "The code is on its way.";
      $("code").value = "";
      $("code").focus();
      countDown(reply.said.resend_in ?? 60);
    };
  });
}

function enterCode() {
  const code = $("code").value.replace(/\s/g, "");
  if (!/^\d{6}$/.test(code)) {
    clear();
    complain("The code has six digits.", "code");
    return;
  }
  during(async (signal) => {
    const reply = await post("/otp/verify", { phone: $("phone").value.trim(), code }, signal);
    return () => {
      if (reply.ok) welcome();
      else if (reply.said.status === "invalid") {
        complain("This code is not right, or no longer valid. Check it, or have another one sent.", "code");
      } else explain(reply);
    };
  });
}

function showStep(step) {
  for (const name of ["ask", "enter"]) $(name).hidden = name !== step;
}

function welcome() {
  clearInterval(waiting);
  $("ask").hidden = $("enter").hidden = true;
  $("title").textContent = "You are signed in";
  document.title = "You are signed in";
  $("welcome").hidden = false;
  $("title").focus();
}

/** Not in a live region: nobody wants every second read out. */
function countDown(seconds) {
  clearInterval(waiting);
  const until = Date.now() + seconds * 1_000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1_000);
    $("again").disabled = left > 0;
    $("again").textContent = left > 0 ? `Send it again in ${inWords(left)}` : "Send it again";
    if (left <= 0) clearInterval(waiting);
  };
  waiting = setInterval(tick, 1_000);
  tick();
}

$("ask").addEventListener("submit", (event) => { event.preventDefault(); sendCode(); });
$("enter").addEventListener("submit", (event) => { event.preventDefault(); enterCode(); });
$("again").addEventListener("click", sendCode);
$("cancel").addEventListener("click", () => working?.abort());
$("change").addEventListener("click", () => {
  clear();
  showStep("ask");
  $("phone").focus();
  $("phone").select();
});
