/** `memory`: too little of it, less may fit. `device`: it will not answer this process again. */
export type DeviceTrouble = "memory" | "device";

/** Arenas of onnxruntime, allocators of CUDA and its libraries, and C++ itself. */
const memory =
  /failed to allocate memory|available memory of \d+ is smaller|out of memory|(?:CUDA|HIP)[^:]{0,40}(?:failure|error) 2\b|_ALLOC_FAILED|bad_alloc|bad allocation/i;

/** Any other failure of CUDA stays with the process: an illegal access (700) or a launch that failed (719) is never forgotten. */
const device =
  /(?:CUDA|CUBLAS|CUDNN|CUFFT) (?:failure|error) \d+|(?:CUBLAS|CUDNN)_STATUS_\w+|device (?:is |was )?lost|illegal memory access/i;

/** What an error of the runtime says about the device; nothing, where only this one run was wrong. */
export function judgeTrouble(message: string): DeviceTrouble | undefined {
  if (memory.test(message)) return "memory";
  return device.test(message) ? "device" : undefined;
}
