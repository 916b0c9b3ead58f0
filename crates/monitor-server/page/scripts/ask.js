// Speaks to the server. The token of a person is kept in this tab, and only once the server has accepted it.

import { printable } from "./text.js";

/** Milliseconds that an answer may take. */
const PATIENCE = 10_000;

/** The server wants a token, or another one. */
export class Refused extends Error {
  constructor(isWrong) {
    super(isWrong ? "the server does not accept this token" : "the server wants a token");
    this.isWrong = isWrong;
  }
}

let token = stored();

/**
 * The object that the server answers.
 *
 * Fails with one sentence: Refused when it wants a token, else why there is no answer.
 */
export async function ask(path) {
  const [answer, text] = await fetched(path);
  if (answer.status === 401) {
    const refused = new Refused(token !== null);
    // It is not offered again: who guesses is slowed down.
    dropToken();
    throw refused;
  }
  const body = parsed(text);
  if (!answer.ok) throw new Error(`the server says ${answer.status}: ${printable(body?.error ?? answer.statusText)}`);
  if (body === null || typeof body !== "object") throw new Error("the answer is not JSON");
  return body;
}

async function fetched(path) {
  const headers = token === null ? {} : { Authorization: `Bearer ${token}` };
  try {
    const answer = await fetch(path, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    return [answer, await answer.text()];
  } catch (error) {
    const isLate = error.name === "TimeoutError";
    const why = isLate ? `no answer within ${PATIENCE / 1000} s` : "the server cannot be reached";
    throw new Error(why, { cause: error });
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export const hasToken = () => token !== null;

/** Uses a token from now on; false when it cannot be one. */
export function takeToken(typed) {
  if (!/^[\x21-\x7e]+$/.test(typed)) return false;
  token = typed;
  return true;
}

/** Keeps the token until the tab is closed. */
export function keepToken() {
  if (token !== null && stored() !== token) attempt(() => sessionStorage.setItem("token", token));
}

/** Forgets the token, and everything that it has shown. */
export function forgetToken() {
  dropToken();
  location.reload();
}

function dropToken() {
  token = null;
  attempt(() => sessionStorage.removeItem("token"));
}

function stored() {
  return attempt(() => sessionStorage.getItem("token")) ?? null;
}

/** Where storage is forbidden, the token lives as long as the page. */
function attempt(step) {
  try {
    return step();
  } catch {
    return null;
  }
}
