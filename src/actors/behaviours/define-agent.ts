import type { TaskContext, TaskFunction } from './behaviour.ts';

/**
 * A function agent with the type of its input: the identity, for the compiler's sake. What the document
 * passes is not checked against the type at run time.
 *
 * @example
 * export const greet = defineAgent<{ name: string }>(({ input }) => `Hello, ${input.name}`);
 */
export function defineAgent<Input>(
  agent: (context: Omit<TaskContext, 'input'> & { readonly input: Input }) => unknown,
): TaskFunction {
  return agent as TaskFunction;
}
