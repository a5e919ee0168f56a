// What is shown, in which order: registries with their images, or, while something is looked
// for, the images that fit. Lines are made in batches, so that a page of any size opens at once.
const rank = Object.fromEntries(tables.severities.map((severity, at) => [severity, at]));
const batch = 300;
const state = {key: '', down: false, severities: new Set(), unexpected: false, search: '', group: '', chosen: {}, action: null, printing: false};
const root = {members: []};
const collator = new Intl.Collator('en', {numeric: true});

// choices are the values that narrow the images, by the name of their field.
const choices = {
  strategy: (row) => [row.strategy],
  reason: (row) => [row.reason],
  product: (row) => [row.product?.name],
  finding: (row) => (row.findings || []).map(({code}) => code),
  missing: (row) => Object.entries(row.coverage || {}).filter(([, value]) => value === 'absent' || value === 'partial').map(([kind]) => kind),
};

const searched = ({registry, url, image, digest, severity, strategy, reason, product, detail, labels}) =>
  [registry, url, image, digest, severity, strategy, reason, nameAndVersion(product), detail, ...labelsOf({labels})].join('\n').toLowerCase();

function fits(item) {
  const row = item.data;
  item.text ??= searched(row);
  return (state.severities.size === 0 || state.severities.has(row.severity)) && (!state.unexpected || row.unexpected === true) &&
    (!state.action || row.severity === state.action.severity && (row.remedy?.[0] || '') === state.action.remedy) &&
    Object.entries(state.chosen).every(([key, value]) => !value || choices[key](row).includes(value)) &&
    state.search.split(/\s+/).every((word) => item.text.includes(word));
}

const isNarrowed = () => state.severities.size > 0 || state.unexpected || state.search !== '' || state.group !== '' ||
  state.action !== null || Object.values(state.chosen).some(Boolean);

function groupOf({data}) {
  return state.group.startsWith('label:') ? data.labels?.[state.group.slice(6)] || '' : choices[state.group]?.(data)[0] || data[state.group] || '';
}

// comparison returns the order of registries, and of images, by the column that the table is
// sorted by.
function comparison() {
  const at = tables.columns.findIndex(({key}) => key === state.key);
  if (at < 0) {
    return (a, b) => a.index - b.index;
  }
  const by = state.key === 'severity' ? (a, b) => (rank[a.data.severity] ?? 9) - (rank[b.data.severity] ?? 9) :
    (a, b) => collator.compare(cellsOf(a)[at], cellsOf(b)[at]);
  return (a, b) => by(a, b) * (state.down ? -1 : 1) || a.index - b.index;
}

// grouped puts a head before the images of each group.
function grouped(items) {
  const groups = new Map();
  for (const item of items) {
    const name = groupOf(item);
    if (!groups.has(name)) {
      groups.set(name, []);
    }
    groups.get(name).push(item);
  }
  return [...groups].sort(([a], [b]) => collator.compare(a, b)).flatMap(([name, members]) => {
    const counts = tables.severities.map((severity) => [members.filter(({data}) => data.severity === severity).length, severity])
      .filter(([n]) => n > 0).map(([n, severity]) => n + ' ' + severity).join(', ');
    return [{line: across('group', make('b', {}, name || 'without'), ' ', make('small', {}, counts))}, ...members];
  });
}

// arrange works out what is shown, and shows it from its beginning.
function arrange() {
  const flat = isNarrowed();
  const found = flat ? rows.filter(fits).sort(comparison()) : registries.sort(comparison());
  registries.forEach((registry) => { registry.isSorted = false; });
  root.members = state.group ? grouped(found) : found;
  table.classList.toggle('flat', flat);
  body.replaceChildren(...linesOf(root));
  table.querySelectorAll('th[data-key]').forEach((head) => head.setAttribute('aria-sort',
    head.dataset.key !== state.key ? 'none' : state.down ? 'descending' : 'ascending'));
  const images = rows.length + (rows.length === 1 ? ' image' : ' images');
  document.getElementById('shown').textContent = flat ? found.length + ' of ' + images :
    registries.length + (registries.length === 1 ? ' registry, ' : ' registries, ') + images;
  document.getElementById('nothing').hidden = found.length > 0;
}

// linesOf returns the lines of a batch of what stands in the table or below a registry.
function linesOf(parent, from = 0) {
  if (parent !== root && !parent.isSorted) {
    parent.members.sort(comparison());
    parent.isSorted = true;
  }
  const to = state.printing ? Infinity : from + batch;
  const out = parent.members.slice(from, to).flatMap((item) => item.data ? [lineOf(item), ...unfolded(item)] : [item.line]);
  parent.more = parent.members.length > to ? moreLine(parent, to) : null;
  return parent.more ? [...out, parent.more] : out;
}

// moreLine returns a line whose button puts the next batch in its place.
function moreLine(parent, from) {
  const rest = parent.members.length - from;
  const button = make('button', {type: 'button', class: 'quiet'}, 'Show ' + Math.min(batch, rest) + ' more of ' + rest);
  const line = across(parent === root ? 'more of-all' : 'more', button);
  button.addEventListener('click', () => {
    line.replaceWith(...linesOf(parent, from));
    parent.members[from].line.querySelector('a')?.focus();
  });
  return line;
}

// unfolded returns the lines below an item: its details, and the images of a registry.
function unfolded(item) {
  const out = [];
  if (item.open) {
    item.details ??= detailsOf(item);
    out.push(item.details);
  }
  return item.members && (item.open || state.printing) ? [...out, ...linesOf(item)] : out;
}

// toggle unfolds an item whose line is shown, or folds it up.
function toggle(item, open = !item.open) {
  if (item.open === open) {
    return;
  }
  item.open = open;
  const line = lineOf(item);
  if (open) {
    line.after(...unfolded(item));
  } else if (item.members) {
    while (line.nextElementSibling && !line.nextElementSibling.matches('.of-registry, .of-all')) {
      line.nextElementSibling.remove();
    }
  } else {
    item.details.remove();
  }
}

// reveal shows an image, whatever batch it is in.
function reveal(item) {
  if (item.registry) {
    reveal(item.registry);
    toggle(item.registry, true);
  }
  const parent = item.registry || root;
  while (!lineOf(item).isConnected && parent.more) {
    parent.more.querySelector('button').click();
  }
}
