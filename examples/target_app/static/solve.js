// Solves what a challenge poses, in as many workers as the device has cores for.

const WORKERS = 8;
const LONGEST = 90_000; // ms; by far longer than any device should need

export class CannotSolve extends Error {}

/** The text that proves the work; rejects with `CannotSolve`, or when `signal` aborts. */
export async function solve(posed, signal) {
  if (!globalThis.crypto?.subtle) {
    throw new CannotSolve("This page has to be opened by https to go on.");
  }
  if (posed?.kind !== "altcha" || posed.challenge.parameters.algorithm !== "PBKDF2/SHA-256") {
    throw new CannotSolve("This page cannot do the check that was asked for.");
  }
  const solution = await race(posed.challenge.parameters, signal);
  return btoa(JSON.stringify({ challenge: posed.challenge, solution }));
}

function race(parameters, signal) {
  const step = Math.max(1, Math.min(navigator.hardwareConcurrency ?? 1, WORKERS));
  const workers = Array.from({ length: step }, () => new Worker(new URL("worker.js", import.meta.url)));
  let limit = 0;
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
    limit = setTimeout(() => reject(new CannotSolve("This device took too long.")), LONGEST);
    workers.forEach((worker, first) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = () => reject(new CannotSolve("The check did not work in this browser."));
      worker.postMessage({ parameters, first, step });
    });
  }).finally(() => {
    clearTimeout(limit);
    workers.forEach((worker) => worker.terminate());
  });
}
