// A short path to an element that still leads there after the page was drawn anew: names that people gave come before positions.

const NAMES = ['data-cegla-name', 'id', 'data-testid', 'data-test', 'name', 'href', 'aria-controls'];
const MADE_UP = /\d{3,}|^[:\d]|[a-f\d]{8,}|^(ember|react|radix|mui|headlessui|ext-)/i; // what frameworks number differently each time
const LONGEST_NAME = 80;
const MOST_STEPS = 6;

/** The path to an element from the nearest ancestor with a name; it leads to exactly this element. */
export function selectorOf(element) {
  const steps = [];
  for (let at = element; at && at.parentElement && steps.length < MOST_STEPS; at = at.parentElement) {
    const name = nameStep(at);
    steps.unshift(name || placeStep(at));
    if (name && leadsTo(steps, element)) return steps.join(' > ');
    if (at === document.body) break;
  }
  return steps.join(' > ') || 'html';
}

function leadsTo(steps, element) {
  const found = document.querySelectorAll(steps.join(' > '));
  return found.length === 1 && found[0] === element;
}

/** A name of its own: `#cart`, `button[data-testid="buy"]`, `a[href="/socks"]`. */
function nameStep(element) {
  const tag = CSS.escape(element.localName);
  for (const attribute of NAMES) {
    const value = element.getAttribute(attribute);
    if (!value || value.length > LONGEST_NAME || /[?@\s"\\]/.test(value)) continue;
    if (attribute === 'href' ? !/^\/?[a-z]/i.test(value) || /^(javascript|data|tel|mailto):/i.test(value) : MADE_UP.test(value)) continue;
    return attribute === 'id' ? '#' + CSS.escape(value) : `${tag}[${attribute}="${value}"]`;
  }
  return '';
}

function placeStep(element) {
  const tag = CSS.escape(element.localName);
  const alike = [...element.parentElement.children].filter((child) => child.localName === element.localName);
  return alike.length > 1 ? `${tag}:nth-of-type(${alike.indexOf(element) + 1})` : tag;
}
