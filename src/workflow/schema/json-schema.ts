import { z } from 'zod';
import { documentSchema } from './document.ts';

/** The published JSON Schema of the workflow document, as the text of config/workflow.schema.json. */
export function workflowSchemaText(): string {
  const { $schema, ...schema } = z.toJSONSchema(documentSchema, {
    io: 'input',
    target: 'draft-7',
    reused: 'ref',
  });
  return `${JSON.stringify({ $schema, $id: 'workflow.schema.json', ...schema }, null, 2)}\n`;
}
