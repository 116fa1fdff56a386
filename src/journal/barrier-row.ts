/** What a group's row keeps of its barrier's deadlines, and of members that came after its release. */
export interface BarrierRow {
  /** When what is enough to succeed becomes enough to go on with, and when nobody waits longer; wall milliseconds. */
  softDeadline?: number | undefined;
  hardDeadline?: number | undefined;
  /** Members that had shown progress, per time that the soft deadline was moved. */
  softExtensions?: (readonly string[])[];
  /** The soft deadline has passed. */
  softened?: boolean;
  /** Members that run on after the release. */
  late?: readonly string[] | undefined;
  /** Those of them whose results have been merged, in that order. */
  lateMerged?: string[];
  /** Keys of which it was told that members are about to meet there. */
  foreseen?: string[];
}
