// Clicks for the click map: which element, where on it and on the page, and whether it answered (dead) or was hammered (rage).
// Never what the element says or what somebody typed.

import { viewport } from './page.js';
import { selectorOf } from './selector.js';

const DEAD_MILLISECONDS = 2500;
const RAGE = { clicks: 3, milliseconds: 1000, pixels: 30 };
const ACTIVE = 'a[href],button,summary,label,input,select,textarea,[role="button"],[role="link"],[role="tab"],[role="menuitem"],[onclick],[data-cegla-name]';
const PATIENT = 'input,select,textarea,[role="spinbutton"],[role="slider"],[data-cegla-no-rage]';
const STEPPER = /^[+\-−–<>‹›«»←→▲▼]$/;

let recent = [];
const waiting = new Set();

/** Report each click to `tell(properties, at)` once it is known what came of it. */
export function watchClicks(tell) {
  document.addEventListener('click', (event) => event.isTrusted !== false && event.target instanceof Element && heard(event, tell), true);
}

/** Tell now about clicks that still wait to be answered: the page is left, so they were. */
export function settleClicks() {
  for (const settle of [...waiting]) settle(false);
}

function heard(event, tell) {
  const target = event.target;
  const masked = target.closest('[data-cegla-mask]');
  const element = masked || target.closest(ACTIVE) || target;
  const facts = describe(element, event);
  const at = Date.now();
  if (isRage(event, target, at)) facts.rage = true;
  if (!element.matches(ACTIVE) && getComputedStyle(element).cursor !== 'pointer') return tell(facts, at);
  return answer((dead) => {
    if (dead) facts.dead = true;
    tell(facts, at);
  });
}

function describe(element, event) {
  const box = element.getBoundingClientRect();
  const page = document.documentElement;
  const at = pointOf(event, box);
  const share = (part, whole) => (whole > 0 ? Math.round(Math.min(1, Math.max(0, part / whole)) * 1000) / 1000 : 0);
  const facts = {
    element: selectorOf(element),
    tag: element.localName,
    x: share(at.x - box.left, box.width),
    y: share(at.y - box.top, box.height),
    page_x: share(at.x + window.scrollX, page.scrollWidth),
    page_y: Math.round(at.y + window.scrollY),
    page_height: page.scrollHeight,
    viewport: viewport(),
  };
  for (let part = element; part && part !== document.body; part = part.parentElement) {
    if (/^(fixed|sticky)$/.test(getComputedStyle(part).position)) facts.fixed = true;
  }
  return facts;
}

/** Where it was. The keyboard and labels click nowhere, and the browser says 0, 0: then it is the middle of the element. */
function pointOf(event, box) {
  return event.detail ? { x: event.clientX, y: event.clientY } : { x: box.left + box.width / 2, y: box.top + box.height / 2 };
}

/** Three clicks within a second on one spot; then it begins anew. Selecting text, stepping a number and pressing a key are no rage. */
function isRage(event, target, at) {
  const button = target.closest('button');
  if (!event.detail || target.closest(PATIENT) || (button && STEPPER.test(button.textContent.trim())) || getSelection().type === 'Range') {
    recent = [];
    return false;
  }
  const near = (click) => Math.hypot(click.x - event.clientX, click.y - event.clientY) <= RAGE.pixels;
  recent = recent.filter((click) => at - click.at <= RAGE.milliseconds && near(click));
  recent.push({ x: event.clientX, y: event.clientY, at });
  if (recent.length < RAGE.clicks) return false;
  recent = [];
  return true;
}

/** Wait until something happens on the page; nothing for two and a half seconds is a dead click. */
function answer(done) {
  const observer = new MutationObserver(() => settle(false));
  const alive = () => settle(false);
  const timer = setTimeout(() => settle(true), DEAD_MILLISECONDS);
  const signs = ['scroll', 'popstate', 'hashchange', 'focusin', 'input', 'change', 'submit', 'blur'];
  function settle(dead) {
    if (!waiting.delete(settle)) return;
    clearTimeout(timer);
    observer.disconnect();
    signs.forEach((sign) => removeEventListener(sign, alive, true));
    done(dead);
  }
  waiting.add(settle);
  observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  signs.forEach((sign) => addEventListener(sign, alive, true));
}
