// The lines of the matrix. Those of registries come with their cells, those of images are
// worked out here with the same columns.
const nameAndVersion = (product) => product ? (product.name + ' ' + (product.version || '')).trim() : '';

// forecasts is what the clients of one library do: "api", or "api, push tag".
function forecasts(row, clients) {
  const first = row.clients?.[clients[0]];
  if (!first) {
    return '';
  }
  const others = clients.slice(1).map((name) => [name, row.clients[name]?.push])
    .filter(([, push]) => push && push !== first.push).map(([name, push]) => ', push ' + push + ' (' + name + ')');
  return first.read + (first.push && first.push !== first.read ? ', push ' + first.push : '') + others.join('');
}

const coverage = (row) => Object.entries(row.coverage || {}).map(([kind, value]) =>
  kind + ' ' + value + (row.lacking?.[kind] ? ' (' + row.lacking[kind].join(', ') + ')' : ''));

// rowCells are the cells of an image that are not a text of its row with the column's key.
const rowCells = {
  registry: (row) => row.image,
  counts: () => '',
  software: (row) => nameAndVersion(row.product),
  tag_schema: (row) => row.capabilities?.tag_schema?.state,
  push: (row) => row.capabilities?.push?.strategy,
  cosign_tags: (row) => row.capabilities?.cosign_tags?.join(' '),
  links: (row) => row.links && String(row.links.total),
  coverage: (row) => coverage(row).join(', '),
  lost: (row) => row.lost && String(row.lost.length),
};

function cellsOf(item) {
  item.cells ??= tables.columns.map(({key, clients}) => (clients ? forecasts(item.data, clients) :
    rowCells[key] ? rowCells[key](item.data) : item.data[key] ?? item.data.capabilities?.[key]) || '');
  return item.cells;
}

// breakable is a text that a line may break behind what separates the parts of a reference.
const breakable = (text) => text.split(/(?<=[/:@])/).flatMap((part, at) => at ? [make('wbr'), part] : [part]);

function makeLine(item) {
  const cells = cellsOf(item);
  const line = make('tr', {id: item.id, class: item.members ? 'of-registry' : 'of-image'});
  tables.columns.forEach(({key, marked}, at) => {
    const word = marked && /^[a-z0-9]+(-[a-z0-9]+)*/.exec(cells[at]);
    const kind = key.replace(/[:_]/g, '-') + (word ? ' is-' + word[0] : '');
    line.append(at > 0 ? make('td', {class: kind}, ...breakable(cells[at])) : make('th', {scope: 'row', class: kind},
      make('a', {href: '#' + item.id, role: 'button'}, ...breakable(cells[at])),
      item.members ? null : make('small', {class: 'of'}, item.registry.data.name)));
  });
  if (item.data.unexpected === true) {
    line.querySelector('.reason')?.append(' ', make('span', {class: 'mark'}, 'expected ' + item.data.expect));
  }
  return line;
}

// lineOf returns the line of an item, which is made when it is first shown.
function lineOf(item) {
  item.line ??= makeLine(item);
  item.line.classList.toggle('open', item.open);
  item.line.firstElementChild.firstElementChild.setAttribute('aria-expanded', String(item.open));
  return item.line;
}

// across is a line with one cell, whose content is as wide as the table. It is not a cell of
// several columns, because narrow windows hide some of them.
const across = (kind, ...content) => make('tr', {class: kind}, make('td', {}, make('div', {class: 'across'}, ...content)));
