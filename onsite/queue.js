// Events on their way. Each lies under a name of its own, in storage where that is allowed, until the server said that it has it: so
// reloads, closed tabs and time without a network lose nothing, and several tabs never overwrite each other. A repeat does no
// harm, since an event keeps its messageId and the server takes each once.

import { options } from './options.js';
import { load, remove, save, storageAllowed, stored } from './storage.js';

const GATHER_MILLISECONDS = 1000;
const LONGEST_WAIT_MILLISECONDS = 300000; // and a fifth of it by chance
const TIMEOUT_MILLISECONDS = 30000;
const MOST_EVENTS = 100;
const MOST_WAITING = 1000;
const LONGEST_KEPT_MILLISECONDS = 30 * 86400000; // as long as the server knows a repeat
const NAME = '.q.';

const memory = new Map();
const flying = new Set();
let mostBytes = 60000; // what a browser lets a page that is being closed send
let failures = 0;
let notBefore = 0;
let timer = 0;
let sending = false;
let closed = false;

/** Take an event to be sent. Its messageId begins with the time, so names sort by it. */
export function keep(event) {
  const name = NAME + event.messageId;
  if (stored(NAME).length >= MOST_WAITING || !save(name, event)) memory.set(name, event);
  while (memory.size > MOST_WAITING) memory.delete(memory.keys().next().value);
  sendIn(GATHER_MILLISECONDS);
}

/** Forget everything that waits. */
export function forgetQueue() {
  memory.clear();
  for (const name of stored(NAME)) remove(name);
}

/** Send soon; never before the server wants to hear from us again. */
export function sendIn(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(send, Math.max(milliseconds, heldOff()));
}

/** How long the server still wants to be left alone; all tabs share what it asked for. Longer than it can ask for is a clock that was changed. */
function heldOff() {
  const left = Math.max(notBefore, load('.wait') || 0) - Date.now();
  return left > 1.2 * LONGEST_WAIT_MILLISECONDS ? 0 : left;
}

/**
 * The page may be gone in a moment: send everything that is not on its way already, in pieces that browsers still let out.
 * What lies in storage can wait, if the server asked for that.
 */
export function sendAtOnce() {
  if (storageAllowed() && heldOff() > 0) return;
  for (let batch = next(); batch.names.length && !closed; batch = next()) {
    batch.names.forEach((name) => flying.add(name));
    if ('keepalive' in Request.prototype) post(batch, true);
    else if (!navigator.sendBeacon(address(), bodyOf(batch))) break;
  }
}

/** Send what waits. Of several tabs with a common queue one sends at a time. */
async function send() {
  if (sending || closed) return;
  if (heldOff() > 0) return sendIn(0);
  sending = true;
  let wait = 0;
  try {
    const locks = storageAllowed() && navigator.locks;
    wait = await (locks ? locks.request('cegla', { ifAvailable: true }, (lock) => (lock ? sendAll() : 2 * GATHER_MILLISECONDS)) : sendAll());
  } finally {
    sending = false;
  }
  if (wait) sendIn(wait);
}

/** Returns how long to wait before another try; 0 when nothing is left. The tab that sent before may have been told to wait while this one asked for its turn. */
async function sendAll() {
  if (heldOff() > 0) return heldOff();
  for (let batch = next(); batch.names.length; batch = next()) {
    batch.names.forEach((name) => flying.add(name));
    const wait = await post(batch, false);
    if (wait) await new Promise((done) => setTimeout(done, 99)); // other tabs see the wait before they get their turn: storage reaches them a moment later
    if (wait || closed) return wait;
  }
  return 0;
}

/** The oldest events that wait and are not on their way, as many as fit into one request. */
function next() {
  const batch = { names: [], events: [] };
  let bytes = 200;
  for (const name of [...stored(NAME), ...memory.keys()].sort()) {
    const event = memory.get(name) || load(name);
    if (flying.has(name)) continue;
    if (!event || Date.now() - name.split('-')[1] > LONGEST_KEPT_MILLISECONDS) {
      drop(name);
      continue;
    }
    bytes += new Blob([JSON.stringify(event)]).size + 1;
    if (batch.names.length && (bytes > mostBytes || batch.names.length >= MOST_EVENTS)) break;
    batch.names.push(name);
    batch.events.push(event);
  }
  return batch;
}

function drop(name) {
  memory.delete(name);
  remove(name);
}

const address = () => options.host + '/v1/b';

/** Plain text with the key inside needs no preflight. */
const bodyOf = (batch) => JSON.stringify({ writeKey: options.key, sentAt: new Date().toISOString(), batch: batch.events });

/** Send one batch; returns the milliseconds to wait, 0 when it is done with. */
async function post(batch, keepalive) {
  const ending = new AbortController();
  const clock = setTimeout(() => ending.abort(), TIMEOUT_MILLISECONDS);
  try {
    const answer = await fetch(address(), { method: 'POST', body: bodyOf(batch), keepalive, credentials: 'omit', referrerPolicy: 'origin', signal: ending.signal });
    return judge(answer, batch);
  } catch {
    return pause(0);
  } finally {
    clearTimeout(clock);
    batch.names.forEach((name) => flying.delete(name));
  }
}

function judge(answer, batch) {
  const status = answer.status;
  if (answer.ok) {
    failures = 0;
    batch.names.forEach(drop);
    return 0;
  }
  if (status === 408 || status === 429 || status >= 500) return pause(Number(answer.headers.get('retry-after')) * 1000);
  if (status === 413 && batch.names.length > 1) {
    mostBytes = mostBytes / 2;
    return 1;
  }
  console.warn('cegla: the collector refused events with status ' + status);
  if (status === 400 || status === 413) batch.names.forEach(drop);
  else closed = true; // a wrong key or origin: what waits stays, and is tried again on the next page
  return 0;
}

/** Back off: as long as the server asks, else twice as long each time, with chance so that not all browsers come back at once. */
function pause(asked) {
  failures += 1;
  const milliseconds = Math.min(LONGEST_WAIT_MILLISECONDS, asked > 0 ? asked : Math.min(60000, 500 * 2 ** failures));
  const wait = milliseconds * (1 + Math.random() / 5);
  notBefore = Date.now() + wait;
  if (asked > 0) save('.wait', notBefore);
  return wait;
}
