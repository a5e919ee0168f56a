// The rows of the matrix, each with its line in the table.
const data = JSON.parse(document.getElementById('data').textContent);
const pooled = (index) => data.pool[index];
const table = document.getElementById('matrix');
const body = table.tBodies[0];
const rows = data.rows.map((row, index) => {
  const line = document.getElementById(row.id);
  const cells = Object.fromEntries(data.cells.map((key, at) => [key, row.cells[at]]));
  const labels = pooled(row.labels);
  const words = [...data.searched.map((key) => cells[key]), pooled(row.detail),
    ...Object.entries(labels).map(([key, value]) => key + '=' + value)];
  return {
    ...row, index, line, cells, labels, details: null,
    codes: pooled(row.findings).map(([code]) => code),
    text: words.filter(Boolean).join('\n').toLowerCase(),
  };
});
const byID = new Map(rows.map((row) => [row.id, row]));

// span is how many columns a line across the table has.
const span = String(table.tHead.rows[0].cells.length);

// make builds an element; text is only ever text.
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}
