// What is shown, in which order, in which groups.
const rank = Object.fromEntries(data.severities.map((severity, at) => [severity, at]));
const state = {key: '', down: false, severities: new Set(), unexpected: false, search: '', group: '', chosen: {}};
const collator = new Intl.Collator('en', {numeric: true});

function valueOf(row, key) {
  const value = row.cells[key];
  return key === 'severity' ? rank[value] ?? 9 : data.numeric.includes(key) ? Number(value) : value || '';
}

function groupOf(row) {
  return state.group.startsWith('label:') ? row.labels[state.group.slice(6)] || '' : row.cells[state.group] || '';
}

function isChosen(row, key, value) {
  const several = {finding: row.codes, missing: row.missing || []}[key];
  return !value || (several ? several.includes(value) : row.cells[key] === value);
}

function fits(row) {
  return (state.severities.size === 0 || state.severities.has(row.cells.severity)) && (!state.unexpected || row.unexpected) &&
    Object.entries(state.chosen).every(([key, value]) => isChosen(row, key, value)) &&
    state.search.split(/\s+/).every((word) => row.text.includes(word));
}

function ordered() {
  const keyed = rows.map((row) => ({row, value: valueOf(row, state.key), group: state.group ? groupOf(row) : ''}));
  const compare = (a, b) => typeof a === 'number' ? a - b : collator.compare(a, b);
  return keyed.sort((a, b) => collator.compare(a.group, b.group) ||
    (state.key ? compare(a.value, b.value) * (state.down ? -1 : 1) : 0) || a.row.index - b.row.index);
}

function groupHead(name, members) {
  const counts = Object.keys(rank).map((severity) => [severity, members.filter((row) => row.cells.severity === severity).length])
    .filter(([, n]) => n > 0).map(([severity, n]) => n + ' ' + severity).join(', ');
  return make('tr', {class: 'group', role: 'row'}, make('th', {role: 'rowheader', colspan: span}, name || 'without', make('small', {}, counts)));
}

// arrange puts the lines in order; it is asked for when the order or the
// groups change, and show does the rest.
function arrange() {
  body.querySelectorAll('.group').forEach((head) => head.remove());
  const out = document.createDocumentFragment();
  for (const {row} of ordered()) {
    out.append(row.line);
    if (row.details) {
      out.append(row.details);
    }
  }
  body.append(out);
  table.querySelectorAll('th[data-key]').forEach((head) => head.setAttribute('aria-sort',
    head.dataset.key !== state.key ? 'none' : state.down ? 'descending' : 'ascending'));
  show();
}

function show() {
  body.querySelectorAll('.group').forEach((head) => head.remove());
  let shown = 0;
  const groups = new Map();
  for (const row of rows) {
    const fit = fits(row);
    row.line.hidden = !fit;
    if (row.details) {
      row.details.hidden = !fit;
    }
    if (fit) {
      shown++;
      if (state.group) {
        const name = groupOf(row);
        if (!groups.has(name)) {
          groups.set(name, []);
        }
        groups.get(name).push(row);
      }
    }
  }
  for (const [name, members] of groups) {
    const first = members.reduce((a, b) => a.line.compareDocumentPosition(b.line) & Node.DOCUMENT_POSITION_PRECEDING ? b : a);
    first.line.before(groupHead(name, members));
  }
  document.getElementById('shown').textContent = (shown === rows.length ? '' : shown + ' of ') + rows.length + (rows.length === 1 ? ' image' : ' images');
  document.getElementById('nothing').hidden = shown > 0;
}
