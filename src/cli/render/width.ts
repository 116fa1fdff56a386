/** What moves the cursor, rings or colours a terminal: C0 and C1 controls, and marks that turn the direction of text. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g;

/** Ranges of code points that take two columns (East Asian wide and emoji), first and last of each. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

/** A stranger's text on one line that cannot steer the terminal: each run of controls becomes a space. */
export function oneLine(text: string): string {
  return text.replace(unsafe, ' ').trim();
}

/** Columns that a text without escapes takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += widthOfCodePoint(character.codePointAt(0) ?? 0);
  return width;
}

/** The text itself if it fits, else its beginning and an ellipsis. */
export function fit(text: string, columns: number): string {
  if (columns <= 0) return '';
  if (widthOf(text) <= columns) return text;
  return `${beginning(text, columns - 1)}…`;
}

/**
 * A line as lines of so many columns at most, broken at spaces, each but the first indented by two more than
 * the first is. A word that is longer than a line is broken where the line ends.
 */
export function wrapped(line: string, columns: number): readonly string[] {
  if (widthOf(line) <= columns) return [line];
  const own = /^ */.exec(line)?.[0] ?? '';
  const hanging = own.length + 2 < columns / 2 ? `${own}  ` : '';
  const lines = [own];
  for (const word of line.slice(own.length).split(' ')) addWord(lines, word, { columns, hanging });
  return lines.map((each) => each.trimEnd());
}

function addWord(
  lines: string[],
  word: string,
  room: { readonly columns: number; readonly hanging: string },
): void {
  const { columns, hanging } = room;
  const last = lines.at(-1) ?? '';
  const joined = last.trim() === '' ? last + word : `${last} ${word}`;
  if (widthOf(joined) <= columns) lines[lines.length - 1] = joined;
  else if (last.trim() !== '') addWord(pushed(lines, hanging), word, room);
  else {
    const head = beginning(word, Math.max(2, columns - widthOf(last)));
    lines[lines.length - 1] = last + head;
    if (head.length < word.length) addWord(pushed(lines, hanging), word.slice(head.length), room);
  }
}

function pushed(lines: string[], line: string): string[] {
  lines.push(line);
  return lines;
}

/** As much of a text as so many columns hold. */
function beginning(text: string, columns: number): string {
  let kept = '';
  let width = 0;
  for (const character of text) {
    width += widthOfCodePoint(character.codePointAt(0) ?? 0);
    if (width > columns) break;
    kept += character;
  }
  return kept;
}

/** A text and the colour that it is to have. */
export type Coloured = readonly [text: string, colour: (text: string) => string];

/** Texts side by side, two columns apart; those that do not fit begin a new line, so that none is broken. */
export function flowed(parts: readonly Coloured[], columns: number): readonly string[] {
  const lines: string[] = [];
  let width = 0;
  for (const [text, colour] of parts) {
    const fits = lines.length > 0 && width + 2 + widthOf(text) <= columns;
    const indent = lines.length === 0 ? '' : '  ';
    if (fits) lines[lines.length - 1] += `  ${colour(text)}`;
    else lines.push(indent + colour(text));
    width = (fits ? width + 2 : indent.length) + widthOf(text);
  }
  return lines;
}

/** Exactly so many columns: cut or filled with spaces. */
export function pad(text: string, columns: number): string {
  const fitted = fit(text, columns);
  return fitted + ' '.repeat(Math.max(0, columns - widthOf(fitted)));
}

function widthOfCodePoint(code: number): number {
  if (code < 0x300) return 1;
  if (code <= 0x36f || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  return wideRanges.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
