// What a click, a key or the address does.
const form = document.getElementById('controls');
const todo = form.querySelector('[data-todo]');

// A heading is a span until here, because a button prints as an empty band.
table.querySelectorAll('th[data-key] > .heading').forEach((head) => {
  head.setAttribute('role', 'button');
  head.tabIndex = 0;
});

// onPress does something if a thing is clicked, or is focused and Enter or Space is pressed.
function onPress(element, kind, act) {
  const press = (event) => {
    const target = event.target.closest(kind);
    if (target) {
      event.preventDefault();
      act(target);
    }
  };
  element.addEventListener('click', press);
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') {
      press(event);
    }
  });
}

onPress(table.tHead, '.heading', (head) => {
  const {key} = head.parentElement.dataset;
  state.down = state.key === key && !state.down;
  state.key = key;
  arrange();
});

function press(item) {
  history.replaceState(null, '', item.open ? location.pathname + location.search : '#' + item.id);
  toggle(item);
}

onPress(body, 'tr[id] a', (link) => press(byID.get(link.closest('tr').id)));

// The rest of a line does the same for a mouse, unless a text was selected in it.
body.addEventListener('click', (event) => {
  const line = event.target.closest('tr[id]');
  if (line && !event.target.closest('a') && String(getSelection()) === '') {
    press(byID.get(line.id));
  }
});

form.addEventListener('input', () => {
  const fields = new FormData(form);
  state.search = fields.get('search').trim().toLowerCase();
  state.group = fields.get('group');
  Object.keys(choices).forEach((key) => { state.chosen[key] = fields.get(key); });
  arrange();
});

form.addEventListener('submit', (event) => event.preventDefault());

form.addEventListener('click', (event) => {
  const chip = event.target.closest('.chip');
  if (!chip) {
    return;
  }
  const on = chip.getAttribute('aria-pressed') !== 'true';
  chip.setAttribute('aria-pressed', String(on));
  if (chip === todo) {
    setAction(null);
  } else if ('unexpected' in chip.dataset) {
    state.unexpected = on;
  } else {
    state.severities[on ? 'add' : 'delete'](chip.dataset.severity);
  }
  arrange();
});

// setAction narrows the images to those of one thing to do.
function setAction(action) {
  state.action = action;
  todo.hidden = action === null;
  todo.lastElementChild.textContent = action ? action.remedy || 'nothing known' : '';
}

// clearFilters shows every registry again, in the order they are in.
function clearFilters() {
  form.querySelectorAll('.chip').forEach((chip) => chip.setAttribute('aria-pressed', 'false'));
  form.querySelectorAll('input, select').forEach((field) => { field.value = ''; });
  Object.assign(state, {unexpected: false, search: '', group: '', chosen: {}});
  state.severities.clear();
  setAction(null);
}

form.addEventListener('reset', (event) => {
  event.preventDefault();
  clearFilters();
  arrange();
});

form.querySelector('[data-unfold]').addEventListener('click', ({target}) => {
  const open = target.getAttribute('aria-pressed') !== 'true';
  target.setAttribute('aria-pressed', String(open));
  registries.forEach((registry) => { registry.open = open; });
  arrange();
});

function connectActions() {
  document.querySelectorAll('[data-action]').forEach((button) => {
    button.hidden = false;
    button.addEventListener('click', () => {
      clearFilters();
      const action = button.closest('.action');
      setAction({severity: button.dataset.action, remedy: action.querySelector('.remedy')?.textContent || ''});
      todo.setAttribute('aria-pressed', 'true');
      arrange();
      table.scrollIntoView();
      table.focus({preventScroll: true});
    });
  });
}

// addChoices fills the fields with the values that occur, the most frequent first.
function addChoices() {
  const option = (value, text) => make('option', {value}, text);
  for (const [key, values] of Object.entries(choices)) {
    const counts = new Map();
    rows.forEach(({data}) => values(data).filter(Boolean).forEach((value) => counts.set(value, (counts.get(value) || 0) + 1)));
    const field = form.elements[key];
    field.append(...[...counts].sort((a, b) => b[1] - a[1] || collator.compare(a[0], b[0])).map(([value, n]) => option(value, value + ' (' + n + ')')));
    field.parentElement.hidden = counts.size === 0;
  }
  const labels = new Set(rows.flatMap(({data}) => Object.keys(data.labels || {})));
  form.elements.group.append(...[...labels].sort().map((key) => option('label:' + key, 'label ' + key)));
}

// A link that names a registry or an image opens it.
function follow() {
  const item = byID.get(location.hash.slice(1));
  if (!item) {
    return;
  }
  if (isNarrowed()) {
    clearFilters();
    arrange();
  }
  reveal(item);
  toggle(item, true);
  item.line.scrollIntoView({block: 'start'});
  item.line.querySelector('a').focus({preventScroll: true});
}

// On paper stands the name of every image.
function print(printing) {
  state.printing = printing;
  arrange();
}

document.documentElement.classList.add('js');
load().then(() => {
  arrange();
  addChoices();
  connectActions();
  form.hidden = false;
  addEventListener('hashchange', follow);
  addEventListener('beforeprint', () => print(true));
  addEventListener('afterprint', () => print(false));
  follow();
  performance.mark('ready');
}).catch((error) => {
  document.documentElement.classList.remove('js');
  document.getElementById('shown').textContent = 'This browser cannot read the evidence in this page (' + error.message + '); matrix.json holds it too.';
});
