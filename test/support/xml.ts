const tag =
  /^<(\/)?([A-Za-z][\w.-]*)((?:\s+[A-Za-z_:][\w.:-]*="[^"<&]*(?:&(?:amp|lt|gt|quot|#\d+);[^"<&]*)*")*)\s*(\/)?>/;
const allowedText = /^[^<&]*(?:&(?:amp|lt|gt|quot|#\d+);[^<&]*)*$/;

/**
 * The first thing about a text that keeps it from being well-formed XML of elements, attributes and text;
 * undefined: there is none. Knows no comments, declarations or sections, as what is checked has none.
 */
export function faultOfXml(xml: string): string | undefined {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u.test(xml))
    return 'a forbidden character';
  const open: string[] = [];
  let rest = xml.trim();
  while (rest !== '') {
    const text = /^[^<]*/.exec(rest)?.[0] ?? '';
    const match = tag.exec(rest.slice(text.length));
    const fault = textFault(text, open.length) ?? (match ? tagFault(match, open) : undefined);
    if (fault !== undefined) return fault;
    if (!match && text !== rest) return `tag: ${rest.slice(text.length, text.length + 60)}`;
    rest = rest.slice(text.length + (match?.[0].length ?? 0));
  }
  return open.length > 0 ? `${open.join(', ')} stays open` : undefined;
}

function textFault(text: string, depth: number): string | undefined {
  if (!allowedText.test(text)) return `text: ${text.slice(0, 40)}`;
  return depth === 0 && text.trim() !== '' ? 'text outside of the element' : undefined;
}

/** Keeps the list of open elements. */
function tagFault(
  [whole, closing, name = '', attributes = '', empty]: RegExpExecArray,
  open: string[],
): string | undefined {
  const names = [...attributes.matchAll(/\s+([\w.:-]+)=/g)].map(([, attribute]) => attribute);
  if (new Set(names).size < names.length) return `an attribute twice: ${whole}`;
  if (closing !== undefined) return open.pop() === name ? undefined : `${name} is not open`;
  if (empty === undefined) open.push(name);
  return undefined;
}
