// Personal data that people type or that pages put into addresses stays out of what is sent. The server scrubs again, more thoroughly.

const MAIL = /[^\s@/?#&=]{1,128}(?:@|%40)[^\s@/?#&=]{1,253}\.[a-z]{2,}/gi; // bounded: an address of thousands of letters must not hold a page up
const NUMBER = /\+?\(?\d(?:[\s().-]{0,2}\d){8,14}/g;
const SECRET = /mail|phone|^tel|token|pass|has[lł]o|secret|sess|^sid$|auth|^code$|^key$|signature|pesel|^nip$|imi[eę]|nazwisko|firstname|lastname/i;

/** Text without e-mail addresses, and without digits that may be a telephone or a personal number. Article codes have 13 digits and stay. */
export function clean(text) {
  return text.replace(MAIL, '[e-mail]').replace(NUMBER, (run) => {
    const digits = run.replace(/\D/g, '').length;
    return run[0] === '+' || digits < 13 ? '[phone]' : run;
  });
}

/** Clean text of one line, at most so many characters, none of them cut in half; undefined when nothing is left. */
export function short(text, most) {
  return clean(String(text || '').replace(/\s+/g, ' ').trim()).slice(0, most).replace(/[\ud800-\udbff]$/, '') || undefined;
}

/** An address without passwords, secrets, personal data and fragments; a fragment that is a route ("#/cart") stays. */
export function cleanUrl(address) {
  let url;
  try {
    url = new URL(address, location.href);
  } catch {
    return '';
  }
  for (const [name, value] of [...url.searchParams]) {
    if (SECRET.test(name)) url.searchParams.delete(name);
    else if (clean(value) !== value) url.searchParams.set(name, clean(value));
  }
  url.username = url.password = '';
  url.pathname = url.pathname.replace(MAIL, '[e-mail]');
  url.hash = /^#!?\//.test(url.hash) ? url.hash.replace(/\?.*/, '').replace(MAIL, '[e-mail]') : '';
  return url.href;
}
