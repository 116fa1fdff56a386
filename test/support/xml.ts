const tag =
  /^<(\/)?([A-Za-z][\w.-]*)((?:\s+[A-Za-z_:][\w.:-]*="[^"<&]*(?:&(?:amp|lt|gt|quot|#\d+);[^"<&]*)*")*)\s*(\/)?>/;
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/u;
const allowedText = /^[^<&]*(?:&(?:amp|lt|gt|quot|#\d+);[^<&]*)*$/;

/**
 * The first thing about a text that keeps it from being well-formed XML of elements, attributes and text;
 * undefined: there is none. Knows no comments, declarations or sections, as what is checked has none.
 */
export function faultOfXml(xml: string): string | undefined {
  if (forbidden.test(xml)) return 'a forbidden character';
  const open: string[] = [];
  let rest = xml.trim();
  while (rest !== '') {
    const next = rest.indexOf('<');
    const text = next < 0 ? rest : rest.slice(0, next);
    const match = tag.exec(rest.slice(text.length));
    const fault = textFault(text, open.length) ?? tagFault(match, open);
    if (fault !== undefined) return fault;
    rest = rest.slice(text.length + (match ? match[0].length : 0));
  }
  return open.length === 0 ? undefined : `${open.join(', ')} stays open`;
}

function textFault(text: string, depth: number): string | undefined {
  if (!allowedText.test(text)) return `text: ${text.slice(0, 40)}`;
  return depth === 0 && text.trim() !== '' ? 'text outside of the element' : undefined;
}

/** Keeps the list of open elements. */
function tagFault(match: RegExpExecArray | null, open: string[]): string | undefined {
  if (!match) return 'something that is no tag';
  const [whole, closing, name = '', attributes = '', empty] = match;
  const names = [...attributes.matchAll(/\s+([\w.:-]+)=/g)].map(([, attribute]) => attribute);
  if (new Set(names).size < names.length) return `an attribute twice: ${whole}`;
  if (closing !== undefined) return open.pop() === name ? undefined : `${name} is not open`;
  if (empty === undefined) open.push(name);
  return undefined;
}
