/** Text into HTML, so that no name of a queue, file or policy can become markup. */

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or a quoted attribute. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** JSON that cannot end the script element it stands in, nor begin a comment there. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** An element with text cells, one row after another; the first cell of a row is its header. */
export function tableMarkup(
  head: readonly string[],
  rows: readonly { readonly cells: readonly string[]; readonly className: string }[],
): string {
  const header = head.map((name) => `<th scope="col">${escaped(name)}</th>`).join('');
  const body = rows.map(({ cells, className }) => {
    const [first = '', ...others] = cells;
    const rest = others.map((cell) => `<td>${escaped(cell)}</td>`).join('');
    return `<tr class="${escaped(className)}"><th scope="row">${escaped(first)}</th>${rest}</tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escaped(head[0] ?? 'table')}"><table><thead><tr>${header}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

export function listMarkup(lines: readonly string[]): string {
  return `<ul>${lines.map((line) => `<li>${escaped(line)}</li>`).join('')}</ul>`;
}
