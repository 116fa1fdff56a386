/** Writes docs/subjects.md from the table in src/bus/subject-table.ts. Run it as `npm run docs`: it reads dist. */
import { writeFileSync } from 'node:fs';
import { subjectKinds } from '../dist/bus/subject-table.js';

const code = (text) => `\`${text}\``;

const rows = Object.entries(subjectKinds).map(([kind, row]) => {
  const forms = row.form.split(', ').map((form) => code(`${kind}.${form}`));
  const cells = [forms.join(', '), row.carries, row.carrier, row.kept, row.writtenBy, row.readBy];
  return `| ${cells.join(' | ')} |`;
});

const page = `# Subjects

Everything on the bus stands under \`troupe.v1.<ns>.\`: the product, the version of this table and the namespace
(letters, digits, \`-\` and \`_\`). What follows is a kind and its tokens. A placeholder is one token, and
\`<key>\` one token per part of the key; characters outside \`A-Z a-z 0-9 _ -\` stand as \`=\` and two hex
digits per UTF-8 byte, so that \`build[0]\` is \`build=5B0=5D\`.
This page is written by \`npm run docs\` from \`src/bus/subject-table.ts\`; a test keeps the two equal.

| Subject | What it carries | Carrier | Kept | Written by | Read by |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}

## Carriers

Streams and buckets are fixed per namespace; a run is a part of them and never one of its own.

| Carrier | Name on a NATS server |
| --- | --- |
| core | none: publish and subscribe |
| stream WORK | \`TROUPE_<ns>_WORK\`, one durable consumer per level of a pool: \`<pool>_p0\` to \`<pool>_p3\` |
| streams HOLD and GATE | \`TROUPE_<ns>_HOLD\`, \`TROUPE_<ns>_GATE\`: who holds an item of work, and how many may be held; written by the driver alone, under \`work.<pool>.\` |
| other streams | \`TROUPE_<ns>_JRN\`, \`_CFL\`, \`_RES\`, \`_DLQ\` |
| bucket | \`troupe_<ns>_<bucket>\`; its values are JSON |
`;

writeFileSync(new URL('../docs/subjects.md', import.meta.url), page);
