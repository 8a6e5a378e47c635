// Where consent may come from besides a call: Google's consent mode, the IAB's TCF, or a function of the page.

const TRIES = 60;
const PAUSE_MILLISECONDS = 250;

/** Listen to the source that `data-consent` names; `say(categories, proof)` is called at every change. */
export function listenForConsent(source, say) {
  if (source === 'gtag') hearGoogle(say);
  else if (source === 'tcf') whenThere('__tcfapi', (api) => hearTcf(api, say));
  else whenThere(source, (ask) => {
    const answer = ask(say);
    if (answer && typeof answer === 'object') say(answer);
  });
}

/** Consent mode: gtag('consent', 'update', {...}). A default can only deny: nobody agreed by it. */
function hearGoogle(say) {
  const layer = (window.dataLayer = window.dataLayer || []);
  const signals = {};
  const hear = (entry) => {
    if (!entry || entry[0] !== 'consent' || entry[1] !== 'update') return;
    Object.assign(signals, entry[2]);
    if (!signals.analytics_storage) return;
    say({ analytics: signals.analytics_storage === 'granted', profiling: signals.ad_personalization === 'granted' }, { form: 'gtag' });
  };
  [].forEach.call(layer, hear);
  const push = layer.push;
  layer.push = function (...entries) {
    const length = push.apply(layer, entries);
    entries.forEach(hear);
    return length;
  };
}

/** TCF: storing on the device (1) with measuring (8) is analytics, with profiles for advertising (3) it is profiling. */
function hearTcf(api, say) {
  api('addEventListener', 2, (data, ok) => {
    if (!ok || !/^(tcloaded|useractioncomplete)$/.test(data.eventStatus)) return;
    const given = (data.purpose && data.purpose.consents) || {};
    const all = (...purposes) => purposes.every((purpose) => given[purpose] === true);
    say({ analytics: all(1, 8), profiling: all(1, 3) }, { form: 'tcf', tcString: data.tcString });
  });
}

/** Call back with the function of a global name ("cmp.onConsent"), as soon as there is one. */
function whenThere(path, use, left = TRIES) {
  const names = path.split('.');
  const last = names.pop();
  const owner = names.reduce((value, name) => value && value[name], window);
  if (owner && typeof owner[last] === 'function') use(owner[last].bind(owner));
  else if (left > 0) setTimeout(whenThere, PAUSE_MILLISECONDS, path, use, left - 1);
}
