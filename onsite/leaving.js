// Links that lead away, files that are fetched, forms that are sent: their names, never what is in them.

import { cleanUrl, short } from './scrub.js';
import { selectorOf } from './selector.js';

const FILES = /\.(pdf|docx?|xlsx?|pptx?|csv|txt|rtf|odt|ods|zip|rar|7z|gz|tar|dmg|exe|msi|apk|mp3|mp4|mov|avi|epub|ics|xml|json)$/i;

/** Report links to other hosts and files, for clicks of any button. */
export function watchLinks(tell) {
  const heard = (event) => {
    const link = event.target instanceof Element && event.target.closest('a[href]');
    if (!link || !/^https?:$/.test(link.protocol) || link.closest('[data-cegla-mask]') || event.button > 1) return;
    const address = cleanUrl(link.href).split(/[?#]/)[0];
    const file = FILES.exec(link.pathname);
    if (file) tell('File Downloaded', { address, file: short(link.pathname.split('/').pop(), 100), extension: file[1].toLowerCase() });
    else if (link.host !== location.host) tell('Outbound Link Clicked', { address, host: link.hostname });
  };
  document.addEventListener('click', heard, true);
  document.addEventListener('auxclick', heard, true);
}

/** Report forms by their name, id or place. */
export function watchForms(tell) {
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof Element) || form.closest('[data-cegla-mask]')) return;
    const name = ['data-cegla-name', 'name', 'id'].map((attribute) => form.getAttribute(attribute)).find(Boolean);
    tell('Form Submitted', { form: short(name, 100) || selectorOf(form) });
  }, true);
}
