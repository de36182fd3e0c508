/** Where the overrides of a deployment are kept: one name for the functions, the template and the command line. */

/** Name of the SSM parameter (a plain String: it is no secret) with the overrides of a stage. */
export function overridesParameter(stage: string): string {
  return `/cloud66-worker-autoscaler/${stage}/overrides`;
}
