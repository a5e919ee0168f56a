// What a click, a key or the address does.
const form = document.getElementById('controls');

table.tHead.addEventListener('click', (event) => {
  const key = event.target.closest('th')?.dataset.key;
  if (key) {
    state.down = state.key === key ? !state.down : data.numeric.includes(key);
    state.key = key;
    arrange();
  }
});

body.addEventListener('click', (event) => {
  const line = event.target.closest('tr[id]');
  if (!line || String(getSelection()) !== '') {
    return;
  }
  const row = byID.get(line.id);
  if (event.target.closest('a')) {
    event.preventDefault();
    history.replaceState(null, '', row.details ? location.pathname + location.search : '#' + row.id);
  }
  toggle(row);
});

const choices = [...form.querySelectorAll('[data-facet]')].map((select) => select.name);

form.addEventListener('input', () => {
  const fields = new FormData(form);
  state.search = fields.get('search').trim().toLowerCase();
  for (const key of choices) {
    state.chosen[key] = fields.get(key);
  }
  const group = fields.get('group');
  if (group !== state.group) {
    state.group = group;
    arrange();
    return;
  }
  show();
});

form.addEventListener('submit', (event) => event.preventDefault());

form.addEventListener('click', (event) => {
  const chip = event.target.closest('.chip');
  if (!chip) {
    return;
  }
  const on = chip.getAttribute('aria-pressed') !== 'true';
  chip.setAttribute('aria-pressed', String(on));
  if ('unexpected' in chip.dataset) {
    state.unexpected = on;
  } else {
    state.severities[on ? 'add' : 'delete'](chip.dataset.severity);
  }
  show();
});

// clearFilters shows every row again, in the groups they are in.
function clearFilters() {
  form.querySelectorAll('.chip').forEach((chip) => chip.setAttribute('aria-pressed', 'false'));
  ['search', ...choices].forEach((key) => { form.elements[key].value = ''; });
  Object.assign(state, {unexpected: false, search: '', chosen: {}});
  state.severities.clear();
}

form.addEventListener('reset', () => {
  clearFilters();
  state.group = '';
  arrange();
});

document.querySelectorAll('[data-reason]').forEach((button) => {
  button.hidden = false;
  button.parentElement.querySelector('.count').hidden = true;
  button.addEventListener('click', () => {
    clearFilters();
    form.elements.reason.value = button.dataset.reason;
    form.dispatchEvent(new Event('input'));
    table.scrollIntoView();
    table.focus({preventScroll: true});
  });
});

// A link that names a row opens it.
function follow() {
  const row = byID.get(location.hash.slice(1));
  if (row) {
    row.line.hidden = false;
    toggle(row, true);
    row.line.scrollIntoView({block: 'center'});
    row.line.querySelector('.registry > a').focus({preventScroll: true});
  }
}

document.documentElement.classList.add('js');
form.hidden = false;
rows.forEach((row) => row.line.querySelector('.registry > a').setAttribute('aria-expanded', 'false'));
addEventListener('hashchange', follow);
follow();
