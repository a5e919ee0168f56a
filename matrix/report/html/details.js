// The details below a row: its evidence and what to do.
function list(title, items, kind = 'ul') {
  return items.length === 0 ? null : make('section', {}, make('h3', {}, title),
    make(kind, {}, ...items.map((item) => make('li', {}, item))));
}

function facts(row) {
  const dl = make('dl');
  const add = (name, ...values) => {
    if (values.some(Boolean)) {
      dl.append(make('dt', {}, name), make('dd', {}, ...values.filter(Boolean).map((value) => make('span', {}, String(value)))));
    }
  };
  add('address', row.cells.url);
  add('digest', row.cells.digest);
  add('referrers', row.cells.referrers);
  add('confidence', row.cells.confidence + ': ' + pooled(row.because));
  add('rule', pooled(row.rule));
  add('expected', row.unexpected ? row.cells.expect : '');
  add('product', row.cells.software, pooled(row.evidence));
  add('labels', ...Object.entries(row.labels).map(([key, value]) => key + '=' + value));
  pooled(row.facts).forEach(([name, ...values]) => add(name, ...values));
  return make('section', {}, make('h3', {}, 'Evidence'), dl);
}

function clients(row) {
  const forecasts = pooled(row.clients);
  if (forecasts.length === 0) {
    return null;
  }
  const outcome = (word) => make('td', {class: 'outcome-' + word}, word || '–');
  return make('section', {}, make('h3', {}, 'What clients will do'), make('table', {class: 'plain'},
    make('thead', {}, make('tr', {}, ...['client', 'reading', 'pushing', 'seen with'].map((head) => make('th', {scope: 'col'}, head)))),
    make('tbody', {}, ...forecasts.map(([name, read, push, version]) =>
      make('tr', {}, make('th', {scope: 'row'}, name), outcome(read), outcome(push), make('td', {}, version))))));
}

// The roles keep it a table on a phone, where its rows are laid out as blocks.
function exchanges(row) {
  if (!row.exchanges) {
    return null;
  }
  const cell = (kind, ...content) => make('td', {role: 'cell', class: kind}, ...content);
  const line = ([step, method, address, status, type, bytes, ms, error, headers]) => make('tr', {role: 'row'},
    make('th', {scope: 'row', role: 'rowheader', class: 'step'}, step),
    cell(error ? 'answer error' : status >= 400 ? 'answer bad' : 'answer', error || 'HTTP ' + status),
    cell('address', method + ' ' + address,
      ...Object.entries(pooled(headers)).map(([key, value]) => make('span', {class: 'headers'}, key + ': ' + value))),
    cell('type', type || '–'), cell('bytes', String(bytes)), cell('ms', ms.toFixed(1)));
  const head = (kind) => make('th', {scope: 'col', role: 'columnheader', class: kind}, kind === 'address' ? 'request' : kind);
  return make('section', {class: 'whole'}, make('h3', {}, 'Exchanges'),
    make('div', {class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Exchanges'}, make('table', {class: 'plain exchanges', role: 'table'},
      make('thead', {role: 'rowgroup'}, make('tr', {role: 'row'}, ...['step', 'answer', 'address', 'type', 'bytes', 'ms'].map(head))),
      make('tbody', {role: 'rowgroup'}, ...row.exchanges.map(line)))));
}

function links(row) {
  return row.links ? make('section', {}, make('h3', {}, 'Links: ' + row.links),
    make('ul', {}, ...(row.attached || []).map((link) => make('li', {}, link)))) : null;
}

function makeDetails(row) {
  const cell = make('td', {colspan: span}, make('div', {class: 'details'},
    make('p', {class: 'says whole'}, pooled(row.detail)),
    list('What to do', pooled(row.remedy), 'ol'),
    list('Findings', pooled(row.findings).map(([code, text]) => code + ': ' + text)),
    row.coverage ? list('Coverage: presence, not validity', row.coverage.split('; ')) : null,
    links(row),
    list('Lost links', row.lost || []),
    facts(row), clients(row), exchanges(row)));
  return make('tr', {class: 'detail', role: 'row'}, cell);
}

function toggle(row, open = !row.details) {
  const link = row.line.querySelector('.registry > a');
  link.setAttribute('aria-expanded', String(open));
  row.line.classList.toggle('open', open);
  if (open && !row.details) {
    row.details = makeDetails(row);
    row.line.after(row.details);
  } else if (!open && row.details) {
    row.details.remove();
    row.details = null;
  }
}
