// What stands below a line that is unfolded: what to do, and the evidence.
function list(title, items, kind = 'ul') {
  return items.length === 0 ? null : make('section', {}, make('h3', {}, title),
    make(kind, {}, ...items.map((item) => make('li', {}, item))));
}

const short = (digest) => digest.replace(/^[^:]*:/, '').slice(0, 12);
const inWords = (key) => key.replace(/_/g, ' ');

// textsOf returns a value of JSON as texts, of which each is a line.
function textsOf(value) {
  if (Array.isArray(value)) {
    return value.length === 0 ? ['–'] : value.map((one) => one && typeof one === 'object' ?
      Object.values(one).flatMap(textsOf).join(' ') : String(one));
  }
  if (value && typeof value === 'object') {
    return Object.entries(value).flatMap(([key, one]) => textsOf(one).map((text) => inWords(key) + ': ' + text));
  }
  return [value === true ? 'yes' : value === false ? 'no' : String(value)];
}

// terms is a list of names and values. Values that are missing are left out.
function terms(title, entries) {
  const dl = make('dl');
  for (const [name, value] of entries) {
    if (value !== undefined && value !== null && value !== '') {
      dl.append(make('dt', {}, name), make('dd', {}, ...textsOf(value).map((text) => make('span', {}, text))));
    }
  }
  return dl.childElementCount ? make('section', {class: 'evidence'}, make('h3', {}, title), dl) : null;
}

const labelsOf = (data) => Object.entries(data.labels || {}).map(([key, value]) => key + '=' + value);
const optional = (values) => values.length > 0 ? values : null;

function evidence(row) {
  return terms('Evidence', [
    ['address', row.url], ['digest', row.digest], ['media type', row.media_type], ['referrers', row.referrers],
    ['confidence', row.confidence + (row.confidence_reason ? ': ' + row.confidence_reason : '')], ['rule', row.rule],
    ['expected', row.expect], ['credentials', row.credentials],
    ['product', optional([nameAndVersion(row.product), row.product?.evidence].filter(Boolean))], ['labels', optional(labelsOf(row))],
    ...Object.entries(row.capabilities || {}).map(([key, value]) => [inWords(key), value]),
    ['requests', row.requests], ['time', row.duration_ms + ' ms'],
  ]);
}

function clients(all) {
  const named = Object.entries(all || {}).sort();
  if (named.length === 0) {
    return null;
  }
  const outcome = (word) => make('td', {class: 'client is-' + (word || 'nothing')}, word || '–');
  return make('section', {}, make('h3', {}, 'What clients will do'), make('table', {class: 'plain'},
    make('thead', {}, make('tr', {}, ...['client', 'reading', 'pushing', 'seen with'].map((head) => make('th', {scope: 'col'}, head)))),
    make('tbody', {}, ...named.map(([name, {read, push, version, differs}]) =>
      make('tr', {}, make('th', {scope: 'row'}, name + (differs ? ' (the worst of its images: others differ)' : '')),
        outcome(read), outcome(push), make('td', {}, version))))));
}

// The roles keep it a table on a phone, where its rows are laid out as blocks.
function exchangeTable(row, exchanges) {
  const cell = (kind, ...content) => make('td', {role: 'cell', class: kind}, ...content);
  const origin = row.url.replace(/\/$/, '');
  const address = (url) => url.startsWith(origin + '/') ? url.slice(origin.length) : url;
  const line = (x) => make('tr', {role: 'row'},
    make('th', {scope: 'row', role: 'rowheader', class: 'step'}, x.step),
    cell(x.error ? 'answer error' : x.status >= 400 ? 'answer bad' : 'answer', x.error || 'HTTP ' + x.status),
    cell('address', x.method + ' ' + address(x.url),
      ...Object.entries(x.headers || {}).map(([key, value]) => make('span', {class: 'headers'}, key + ': ' + value))),
    cell('type', x.content_type || '–'), cell('bytes', String(x.bytes)), cell('ms', x.ms.toFixed(1)));
  const head = (kind) => make('th', {scope: 'col', role: 'columnheader', class: kind}, kind === 'address' ? 'request' : kind);
  return make('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Exchanges'},
    make('table', {class: 'plain exchanges', role: 'table'},
      make('thead', {role: 'rowgroup'}, make('tr', {role: 'row'}, ...['step', 'answer', 'address', 'type', 'bytes', 'ms'].map(head))),
      make('tbody', {role: 'rowgroup'}, ...exchanges.map(line))));
}

const linkText = (link) => [
  (link.kind || 'link of unknown kind') + ' ' + short(link.digest) +
    (link.depth > 1 ? ' attached to ' + short(link.subject) : link.platform ? ' on ' + link.platform : ''),
  'in ' + link.where.join(' '), link.artifact_type, link.typed_away && 'listed under another type',
].filter(Boolean).join(', ');

const lossText = (lost) => (lost.kind || 'link') + ' ' + short(lost.digest) + (lost.platform ? ' on ' + lost.platform : ' of ' + short(lost.subject)) +
  ' since ' + lost.since.slice(0, 10) + (lost.replaced ? ' (replaced)' : '');

function linksTitle({total, by_kind: kinds}, kept) {
  const counts = Object.entries(kinds || {}).map(([kind, n]) => kind + ' ' + n).join('; ');
  return 'Links: ' + total + (counts ? ' (' + counts + ')' : '') + (kept < total ? ', the first ' + kept + ' are kept' : '');
}

// readLater is a section that is filled when the evidence of the row is there.
function readLater(kind, evidence, fill) {
  const section = make('section', {class: kind, 'aria-busy': 'true'});
  evidence.then((read) => {
    section.append(...fill(read));
    section.removeAttribute('aria-busy');
  });
  return section;
}

const inHalves = (left, right) => [make('div', {class: 'half'}, ...left.filter(Boolean)), make('div', {class: 'half'}, ...right.filter(Boolean))];

function rowDetails(item) {
  const row = item.data;
  const read = evidenceOf(item);
  return across('detail', make('div', {class: 'details'}, make('p', {class: 'says whole'}, row.detail),
    ...inHalves([
      list('What to do', row.remedy || [], 'ol'), clients(row.clients),
      list('Findings', (row.findings || []).map(({code, text}) => code + ': ' + text)),
      list('Coverage: presence, not validity', coverage(row)), list('Lost links', (row.lost || []).map(lossText)),
      row.links ? readLater('attached', read, ({links}) => [make('h3', {}, linksTitle(row.links, links.length)),
        make('ul', {}, ...links.map((link) => make('li', {}, linkText(link))))]) : null,
    ], [evidence(row)]),
    readLater('whole', read, ({exchanges}) => [make('h3', {}, 'Exchanges'), exchanges.length > 0 ? exchangeTable(row, exchanges) : 'The scan kept none.'])));
}

function registryDetails({data}) {
  const counts = (all) => optional(Object.entries(all || {}).sort(([, a], [, b]) => b - a).map(([name, n]) => name + ' ' + n));
  return across('detail', make('div', {class: 'details'},
    ...inHalves([data.do ? make('p', {class: 'says remedy'}, data.do) : null, clients(data.clients)], [
      terms('Registry', [
        ['address', data.url], ['product', nameAndVersion(data.product)], ['credentials', data.credentials], ['labels', optional(labelsOf(data))],
        ['reasons', counts(data.reasons)], ['findings', counts(data.findings)],
        ...Object.entries(data.capabilities || {}).map(([key, value]) => [inWords(key), value]),
        ['links', data.links && data.links.total + ', probed at ' + data.links.images + (data.links.images === 1 ? ' image' : ' images')], ['links lost', data.lost],
      ]),
    ])));
}

const detailsOf = (item) => item.members ? registryDetails(item) : rowDetails(item);
