// What the page says in its <script> line: data-key, data-consent and so on. Each option is a row of cegla/collect/rules/website.py.

export const DEFAULTS = {
  key: '',
  host: '',
  consent: 'call',
  before: 'hold',
  mode: 'stored',
  auto: 'page reading clicks links forms search',
  profiles: '',
  push: '',
  search: 'q query s search szukaj fraza phrase keyword',
};

export const options = { ...DEFAULTS };

/** Take the options of a <script> element; the host is where the script itself came from, unless another is named. */
export function readOptions(script) {
  const given = script.dataset;
  for (const name in DEFAULTS) if (given[name] !== undefined) options[name] = given[name].trim();
  options.host = (options.host || new URL('.', script.src).href).replace(/\/$/, '');
}

/** The words of an option that is a list. */
export const listed = (name) => options[name].split(/[\s,]+/).filter(Boolean);
