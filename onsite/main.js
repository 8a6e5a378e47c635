// The browser script of Cegla. One line installs it; nothing is stored and nothing that identifies is sent before somebody agreed.
//
//   the page ──► call ──► held until consent ──► queue ──► /v1/b
//   clicks, reading, links, searches ──┘

import { CONSENT_EVENT, VERSION, call, discard, release, sayWithdrawn, showPage } from './calls.js';
import { settleClicks, watchClicks } from './clicks.js';
import { learnDevice } from './device.js';
import { watchForms, watchLinks } from './leaving.js';
import { watchNavigation } from './navigation.js';
import { listed, options, readOptions } from './options.js';
import { pageFacts } from './page.js';
import { endPush, push } from './push.js';
import { sendAtOnce, sendIn } from './queue.js';
import { readSoFar, startReading, watchReading } from './reading.js';
import { cleanUrl, short } from './scrub.js';
import { listenForConsent } from './signals.js';
import { agreed, consentObject, forgetState, isCookieless, keepState, level, openState, refused, state, uuid } from './state.js';
import { visitor } from './visitor.js';
import { load, onForeignChange, peek, storageAllowed } from './storage.js';

const text = (value) => (value === undefined || value === null || value === '' ? undefined : String(value));
const wants = (part) => listed('auto').includes(part);
const track = (event, properties, at) => call('track', { event, properties }, at);

// What a page can call: cegla('track', 'Product Viewed', {...}).
const METHODS = {
  page: (name, properties) => viewPage(text(name), properties),
  track: (event, properties) => track(text(event), properties || {}),
  identify: (userId, traits) => call('identify', userId && typeof userId === 'object' ? { traits: userId } : { userId: text(userId), traits: traits || {} }),
  group: (groupId, traits) => call('group', { groupId: text(groupId), traits: traits || {} }),
  alias: (userId, previousId) => call('alias', { userId: text(userId), previousId: text(previousId) }),
  reset,
  consent,
  visitor,
  push,
  state: () => ({ version: VERSION, level: level(), consent: consentObject(), gpc: state.gpc, stored: storageAllowed(), anonymousId: state.anonymousId || null, userId: state.userId || null }),
};

/** Somebody leaves this browser: what comes next belongs to somebody new, and what was called before to who was there. */
function reset() {
  if (agreed()) release();
  else discard();
  state.userId = '';
  state.anonymousId = state.anonymousId && uuid();
  keepState();
}

/** What the visitor said, by category: {analytics: true, marketing_email: false}. Whatever is left out stays as it was. */
function consent(categories, proof) {
  if (categories && categories.analytics === false) Object.assign(state, peek('')); // agreed to on an earlier page
  const before = agreed();
  const pushed = before && state.categories.marketing_push === true;
  const said = JSON.stringify(state.categories);
  state.categories = { ...state.categories, ...categories };
  state.proof = { ...state.proof, ...proof };
  const news = said !== JSON.stringify(state.categories);
  if (pushed && (!agreed() || state.categories.marketing_push !== true)) endPush();
  if (before && !agreed()) withdraw();
  else if (!before && agreed()) begin(news);
  else if (refused()) discard();
  else if (agreed() && news) {
    keepState();
    track(CONSENT_EVENT, {});
  }
}

/** What was said on another page or in another tab, and told to the server there. */
function recall({ categories, proof }) {
  const before = agreed();
  Object.assign(state, { categories, proof: proof || {} });
  if (!before && agreed()) begin(false);
}

function begin(news) {
  if (!isCookieless()) openState();
  learnDevice().then(() => {
    if (!agreed()) return;
    release();
    if (options.before === 'drop' && news) viewPage();
    if (news && options.consent !== 'granted') track(CONSENT_EVENT, {});
    sendIn(0);
  });
}

function withdraw() {
  const { anonymousId, userId } = state;
  discard();
  forgetState();
  sayWithdrawn(anonymousId, userId);
}

/** A page view, with what the page says about itself, and a search if its address holds one. */
function viewPage(name, properties) {
  const { title, url, path } = showPageNow();
  call('page', { name, properties: { title, url, path, ...pageFacts(), ...properties } });
  if (!wants('search')) return;
  const asked = new URLSearchParams(location.search);
  const parameter = listed('search').find((key) => short(asked.get(key), 200));
  if (parameter) track('Site Searched', { query: short(asked.get(parameter), 200), parameter });
}

let referrer = document.referrer;

function showPageNow() {
  const page = showPage(referrer ? cleanUrl(referrer) : '');
  referrer = location.href;
  return page;
}

function showNext() {
  startReading();
  viewPage();
}

function leavePage() {
  settleClicks();
  const read = wants('reading') && readSoFar();
  if (read) track('Page Left', read);
}

function watch() {
  if (wants('reading')) watchReading();
  if (wants('clicks')) watchClicks((properties, at) => track('Element Clicked', properties, at));
  if (wants('links')) watchLinks(track);
  if (wants('forms')) watchForms(track);
  if (wants('page')) watchNavigation(leavePage, showNext);
  let lay;
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    const known = peek('');
    if (lay || (known && !isCookieless())) heardFromOtherTab(known); // what was said while this page was put away
    if (wants('page')) showNext();
  });
  const leave = () => {
    lay = load('');
    leavePage();
    sendAtOnce();
  };
  addEventListener('visibilitychange', () => (document.visibilityState === 'hidden' ? leave() : sendIn(0)));
  addEventListener('pagehide', leave);
  addEventListener('online', () => sendIn(0));
  if (!isCookieless()) onForeignChange('', heardFromOtherTab);
}

/** Another tab changed ids or consent; a withdrawal there was told to the server there. */
function heardFromOtherTab(known) {
  if (known) {
    Object.assign(state, { anonymousId: known.anonymousId, userId: known.userId });
    recall(known);
  } else if (agreed()) {
    state.categories = { ...state.categories, analytics: false };
    discard();
    forgetState();
  }
}

function run(given) {
  const [name, ...rest] = given;
  const method = METHODS[name];
  if (!method) return console.warn('cegla: there is no ' + name);
  return method(...rest);
}

/** The first moment: what was agreed to before, where consent comes from, the page itself, and what the page called meanwhile. */
function start(waiting) {
  const known = options.consent === 'call' && !isCookieless() ? peek('') : null;
  if (known) recall(known);
  watch();
  if (wants('page')) viewPage();
  if (options.consent === 'granted') consent({ analytics: true });
  else if (options.consent !== 'call') listenForConsent(options.consent, consent);
  window.cegla = (...given) => run(given);
  window.cegla.version = VERSION;
  waiting.forEach(run);
}

function boot(script) {
  const early = window.cegla;
  if (!script || (early && early.version)) return;
  readOptions(script);
  const waiting = (early && early.q) || [];
  window.cegla = (...given) => void waiting.push(given);
  window.cegla.version = VERSION;
  const onceStanding = () => (document.readyState === 'loading' ? document.addEventListener('DOMContentLoaded', () => start(waiting)) : start(waiting));
  if (document.prerendering) document.addEventListener('prerenderingchange', onceStanding, { once: true });
  else onceStanding();
}

boot(document.currentScript);
