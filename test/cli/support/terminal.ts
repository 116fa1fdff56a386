/** What a terminal shows after a text was written to it: the escapes of a live view move a cursor over lines. */
export function playBack(text: string): string[] {
  const lines: string[] = [];
  let row = 0;
  for (const [token, up] of text.matchAll(
    /\u001b\[(\d+)A|\u001b\[\??[0-9]*[a-zA-Z]|\r|\n|[^\u001b\r\n]+/g,
  )) {
    if (up !== undefined) row -= Number(up);
    else if (token === '\n') row++;
    else if (token === '\u001b[J') lines.length = Math.min(lines.length, row);
    else if (!token.startsWith('\u001b') && token !== '\r') lines[row] = token;
  }
  return lines;
}
