import type { z } from 'zod';
import type { documentSchema } from './schema/document.ts';

/** A workflow document as data: what YAML and JSON files hold. */
export type WorkflowDocument = z.input<typeof documentSchema>;
