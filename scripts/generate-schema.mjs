// Writes config/workflow.schema.json from the schema in dist. Run `npm run build` first.
import { writeFile } from 'node:fs/promises';
import { workflowSchemaText } from '../dist/workflow/schema/json-schema.js';

await writeFile(new URL('../config/workflow.schema.json', import.meta.url), workflowSchemaText());
