// Tries every step-th counter until a derived key begins as it should: ALTCHA's proof of work with
// PBKDF2, on the browser's own cryptography.

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (array) => Array.from(array, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function search({ parameters, first, step }) {
  const { cost, keyLength } = parameters;
  const prefix = bytes(parameters.keyPrefix);
  const nonce = bytes(parameters.nonce);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(parameters.salt), iterations: cost };
  const password = new Uint8Array(nonce.length + 4);
  password.set(nonce);
  const tail = new DataView(password.buffer, nonce.length);
  for (let counter = first; counter < 2 ** 32; counter += step) {
    tail.setUint32(0, counter);
    const secret = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const key = new Uint8Array(await crypto.subtle.deriveBits(how, secret, keyLength * 8));
    if (prefix.every((byte, i) => byte === key[i])) return { counter, derivedKey: hex(key) };
  }
  throw new Error("nothing solves it");
}

onmessage = async ({ data }) => postMessage(await search(data));
