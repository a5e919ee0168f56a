// The data of the page: registries with their images, each with the line that shows it.
const tables = JSON.parse(document.getElementById('tables').textContent);
const table = document.getElementById('matrix');
const body = table.tBodies[0];
const registries = [];
const rows = [];
const byID = new Map();
const packed = (kind) => [...document.querySelectorAll('script[data-packed=' + kind + ']')];

// unpack returns the values of an element: JSON, one on a line, as gzip in base64.
async function unpack(element) {
  const text = atob(element.textContent);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    bytes[at] = text.charCodeAt(at);
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return (await new Response(stream).text()).trimEnd().split('\n').filter(Boolean).map((line) => JSON.parse(line));
}

// addItem keeps a registry or an image. members are the images of a registry.
function addItem(list, fields) {
  const item = {index: list.length, line: null, open: false, ...fields};
  list.push(item);
  byID.set(item.id, item);
  return item;
}

// load reads all but the evidence. Each element is freed when it was read.
async function load() {
  for (const element of packed('registries')) {
    for (const {id, cells, ...data} of await unpack(element)) {
      addItem(registries, {id, cells, data, members: [], limit: batch});
    }
  }
  for (const element of packed('rows')) {
    for (const {id, of, ...data} of await unpack(element)) {
      const row = addItem(rows, {id, data, registry: registries[of]});
      row.registry.members.push(row);
    }
    element.remove();
  }
}

// evidenceOf returns the links and exchanges of a row. Those of some rows are in one element:
// the links of each row, then the exchanges of each.
const parts = new Map();
const elements = packed('evidence');
async function evidenceOf(row) {
  const part = Math.floor(row.index / tables.per_part);
  if (!parts.has(part)) {
    parts.set(part, unpack(elements[part]));
  }
  const values = await parts.get(part);
  const at = row.index % tables.per_part;
  return {links: values[at], exchanges: values[at + values.length / 2]};
}

// make builds an element; text is only ever text.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
