// What a page says about itself: title, address, topics, and what it is about in the words of schema.org and Open Graph.

import { cleanUrl, short } from './scrub.js';

const MOST_TOPICS = 20;
const MOST_NODES = 60;
// Nodes that describe the site or people, not what the page is about.
const ASIDE = /^(Person|Organization|.*Business|Store|WebSite|SearchAction|ImageObject|PostalAddress|BreadcrumbList|ListItem|ReadAction)$/;

/** The page as every event's context has it. */
export function pageNow(referrer) {
  const url = new URL(cleanUrl(location.href));
  return { path: url.pathname, referrer, search: url.search, title: short(document.title, 200), url: url.href };
}

/** The width of the window in a class: the same page lies differently on a telephone. */
export function viewport() {
  const width = window.innerWidth;
  return width < 600 ? 'phone' : width < 1024 ? 'tablet' : width < 1440 ? 'desktop' : 'wide';
}

/** Everything a page view tells beyond its context. Absent facts are left out. */
export function pageFacts() {
  const nodes = schemaNodes();
  const about = nodes.find((node) => node['@type'] && !ASIDE.test(kindOf(node))) || {};
  const facts = {
    canonical: linkTo('link[rel="canonical"]'),
    description: short(meta('description') || meta('og:description'), 300),
    language: short(document.documentElement.lang, 20),
    topics: topics(about),
    section: short(meta('article:section') || about.articleSection, 100),
    kind: short(kindOf(about) || meta('og:type'), 60),
    subject: short(about.headline || (about['@type'] && about.name), 200),
    subject_category: short(nameOf(about.category), 200),
    published: short(meta('article:published_time') || about.datePublished, 40),
    breadcrumbs: breadcrumbs(nodes),
  };
  for (const name in facts) if (facts[name] === undefined || facts[name].length === 0) delete facts[name];
  return facts;
}

function meta(name) {
  const found = document.querySelector(`meta[name="${name}"],meta[property="${name}"]`);
  return found && found.content;
}

function linkTo(selector) {
  const found = document.querySelector(selector);
  return found && found.href ? cleanUrl(found.href) : undefined;
}

/** Keywords and tags, each once, in the order of the page. */
function topics(about) {
  const tags = [...document.querySelectorAll('meta[property$=":tag"]')].map((tag) => tag.content);
  const words = [meta('keywords') || '', ...[].concat(about.keywords || [])].flatMap((text) => String(nameOf(text)).split(','));
  const all = [...words, ...tags, ...[].concat(about.about || []).map(nameOf)].map((text) => short(text, 60));
  return [...new Set(all.filter(Boolean))].slice(0, MOST_TOPICS);
}

function breadcrumbs(nodes) {
  const list = nodes.find((node) => kindOf(node) === 'BreadcrumbList');
  const items = list ? [].concat(list.itemListElement || []) : [];
  return items.map((item) => item && short(item.name || nameOf(item.item), 100)).filter(Boolean);
}

/** The nodes of all JSON-LD blocks, flattened; what does not parse is not there. */
function schemaNodes() {
  const nodes = [];
  for (const block of document.querySelectorAll('script[type="application/ld+json"]')) {
    try {
      const found = JSON.parse(block.textContent);
      for (const node of [].concat(found)) nodes.push(...[].concat(node['@graph'] || node));
    } catch { /* broken markup is the page's own matter */ }
  }
  return nodes.filter((node) => node && typeof node === 'object').slice(0, MOST_NODES);
}

const kindOf = (node) => String([].concat(node['@type'] || '')[0]).replace(/^.*[/#]/, '');
const nameOf = (value) => (value && typeof value === 'object' ? value.name || '' : value || '');
