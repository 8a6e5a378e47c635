// The calls: what a page asks for becomes an event, is held back until somebody agreed, or is let go.

import { deviceHints } from './device.js';
import { options } from './options.js';
import { pageNow, viewport } from './page.js';
import { forgetQueue, keep } from './queue.js';
import { cleanUrl } from './scrub.js';
import { agreed, consentObject, isCookieless, keepState, level, refused, state, uuid } from './state.js';

export const VERSION = '1';
export const CONSENT_EVENT = 'Segment Consent Preference Updated'; // the name the tracking contract has for it

const LIBRARY = { name: 'cegla-onsite', version: VERSION };
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
  const made = { type, fields: asItIsNow(type, fields), at, page: shown };
  if (!made.fields) return;
  const may = level();
  if (may === 'nothing' || (may === 'full' && !ready)) {
    if (agreed() || (options.before === 'hold' && !refused())) held = [...held, made].slice(-MOST_HELD);
  } else if (may === 'count') {
    count(made);
  } else if (agreed() || !IDENTIFYING.includes(type)) {
    perform(made);
  }
}

/** A copy of what the page hands over: later changes are not meant, and what cannot be written must not hold up the others. */
function asItIsNow(type, fields) {
  try {
    return JSON.parse(JSON.stringify(fields));
  } catch (reason) {
    console.warn('cegla: ' + type + ' cannot be written', reason);
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
  if (type === 'alias' && !fields.previousId) fields.previousId = state.userId || state.anonymousId;
  const userId = state.userId || undefined;
  keep({ type, ...stamped(at), anonymousId: state.anonymousId, userId, ...fields, context: context(page) });
}

/** A view or an event without anybody: its name and its page, and nothing that could tell two visitors apart. */
function count({ type, fields, at, page }) {
  if (type !== 'page' && type !== 'track') return;
  const { path, title } = page;
  const context = { aggregate: true, library: LIBRARY, page: { path, title }, viewport: viewport() };
  keep({ type, ...stamped(at), event: fields.event, context });
}

/** Its id and its time. Ids of one page sort by time; the rest is chance. */
function stamped(at) {
  serial += 1;
  return { messageId: `cegla-${at}-${String(serial).padStart(5, '0')}-${uuid()}`, timestamp: new Date(at).toISOString() };
}

function context(page) {
  return {
    library: LIBRARY,
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
  if (!anonymousId && !userId) return;
  keep({ type: 'track', event: CONSENT_EVENT, ...stamped(Date.now()), anonymousId, userId: userId || undefined, context: { library: LIBRARY, consent: consentObject() } });
}
