// The calls: what a page asks for becomes an event, is held back until somebody agreed, or is let go.

import { deviceHints } from './device.js';
import { options } from './options.js';
import { pageNow, viewport } from './page.js';
import { forgetQueue, keep } from './queue.js';
import { cleanUrl } from './scrub.js';
import { agreed, consentObject, isCookieless, keepState, level, refused, state, uuid } from './state.js';

export const VERSION = '1';
export const CONSENT_EVENT = 'Segment Consent Preference Updated'; // the name the tracking contract has for it

const MOST_HELD = 200;
const IDENTIFYING = ['identify', 'group', 'alias'];

let held = [];
let ready = false;
let serial = 0;
let shown = null;

/** The page that events are about; `referrer` is where the visitor came from. */
export function showPage(referrer) {
  shown = pageNow(referrer);
  return shown;
}

/** Do a call now, later or never, by what may be done. `at` is the moment it is about. */
export function call(type, fields, at = Date.now()) {
  if (!shown) showPage(cleanUrl(document.referrer));
  const made = { type, fields, at, page: shown };
  const may = level();
  if (may === 'nothing' || (may === 'full' && !ready)) {
    if (agreed() || (options.before === 'hold' && !refused())) held = [...held, made].slice(-MOST_HELD);
  } else if (may === 'count') {
    count(made);
  } else if (agreed() || !IDENTIFYING.includes(type)) {
    perform(made);
  }
}

/** From now on events may go: what was held back goes first, under the ids that hold now. */
export function release() {
  ready = true;
  const made = held;
  held = [];
  made.forEach(perform);
}

/** Nobody may hear of what was held back. */
export function discard() {
  ready = false;
  held = [];
}

function perform({ type, fields, at, page }) {
  if (type === 'identify' && fields.userId) {
    if (state.userId && state.userId !== fields.userId) state.anonymousId = uuid(); // somebody else sits down at this browser
    state.userId = fields.userId;
    keepState();
  }
  if (!state.anonymousId) state.anonymousId = uuid();
  const userId = state.userId || undefined;
  keep({ type, messageId: messageId(at), timestamp: new Date(at).toISOString(), anonymousId: state.anonymousId, userId, ...fields, context: context(page) });
}

/** A view or an event without anybody: its name and its page, and nothing that could tell two visitors apart. */
function count({ type, fields, at, page }) {
  if (type !== 'page' && type !== 'track') return;
  const { path, title } = page;
  const context = { aggregate: true, library: { name: 'cegla-onsite', version: VERSION }, page: { path, title }, viewport: viewport() };
  keep({ type, messageId: messageId(at), timestamp: new Date(at).toISOString(), event: fields.event, context });
}

/** Names of one page sort by time; the rest is chance. */
function messageId(at) {
  serial += 1;
  return `cegla-${at}-${String(serial).padStart(5, '0')}-${uuid()}`;
}

function context(page) {
  return {
    library: { name: 'cegla-onsite', version: VERSION },
    page,
    locale: navigator.language,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    viewport: viewport(),
    touchPoints: navigator.maxTouchPoints || undefined,
    webdriver: navigator.webdriver || undefined,
    userAgentData: deviceHints(),
    consent: consentObject(),
    gpc: state.gpc || undefined,
    cookieless: isCookieless() || undefined,
  };
}

/** The last word after a withdrawal: the server learns of it under the ids it knows, and nothing else of what waited is sent. */
export function sayWithdrawn(anonymousId, userId) {
  forgetQueue();
  const at = Date.now();
  const event = { type: 'track', event: CONSENT_EVENT, messageId: messageId(at), timestamp: new Date(at).toISOString(), anonymousId };
  keep({ ...event, userId: userId || undefined, context: { library: { name: 'cegla-onsite', version: VERSION }, consent: consentObject() } });
}
