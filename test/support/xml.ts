const tag =
  /^<(\/)?([A-Za-z][\w.-]*)((?:\s+[A-Za-z_:][\w.:-]*="[^"<&]*(?:&(?:amp|lt|gt|quot|#\d+);[^"<&]*)*")*)\s*(\/)?>/;
const allowedText = /^[^<&]*(?:&(?:amp|lt|gt|quot|#\d+);[^<&]*)*$/;

/**
 * The first thing about a text that keeps it from being well-formed XML of elements, attributes and text;
 * undefined: there is none. Knows no comments, declarations or sections, as what is checked has none.
 */
export function faultOfXml(xml: string): string | undefined {
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(xml))
    return 'a forbidden character';
  if (/\p{Surrogate}/u.test(xml)) return 'half of a character';
  const open: string[] = [];
  let rest = xml.trim();
  while (rest !== '') {
    const next = rest.indexOf('<');
    const text = next < 0 ? rest : rest.slice(0, next);
    if (!allowedText.test(text)) return `text: ${text.slice(0, 40)}`;
    if (open.length === 0 && text.trim() !== '') return 'text outside of the element';
    if (next < 0) break;
    rest = rest.slice(next);
    const match = tag.exec(rest);
    if (!match) return `tag: ${rest.slice(0, 60)}`;
    const [whole, closing, name = '', , empty] = match;
    const names = [...(match[3] ?? '').matchAll(/\s+([\w.:-]+)=/g)].map(
      ([, attribute]) => attribute,
    );
    if (new Set(names).size < names.length) return `an attribute twice: ${whole}`;
    if (closing && open.pop() !== name) return `${name} closes what is not open`;
    if (!closing && !empty) open.push(name);
    rest = rest.slice(whole.length);
  }
  return open.length > 0 ? `${open.join(', ')} stays open` : undefined;
}
