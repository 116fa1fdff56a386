/** Writes docs/errors.md from the table in src/core/errors.ts. Run it as `npm run docs`: it reads dist. */
import { writeFileSync } from 'node:fs';
import { errorCodes } from '../dist/core/errors.js';

const cell = (text) => text.replaceAll('|', '\\|');
const rows = Object.entries(errorCodes).map(([code, text]) => `| \`${code}\` | ${cell(text)} |`);

const page = `# Errors

Every error that leaves Troupe is a \`TroupeError\` with one of these codes. A code keeps its meaning
for good; the message beside it says what happened this time, its place where, its hint what to do.
This page is written by \`npm run docs\` from \`src/core/errors.ts\`; a test keeps the two equal.

| Code | Meaning and next step |
| --- | --- |
${rows.join('\n')}
`;

writeFileSync(new URL('../docs/errors.md', import.meta.url), page);
