//! Memory: how the heap is set up, so that a stream takes little of it and a rush leaves nothing
//! behind. What is said to the allocator is for glibc's only; others do well by themselves.

#![expect(unsafe_code, reason = "an allocator, and what it is told, have no safe form")]

#[cfg(target_os = "linux")]
mod cells;

#[cfg(target_os = "linux")]
#[global_allocator]
static HEAP: cells::Heap = cells::Heap;

/// Sets the heap up; called before any thread starts.
///
/// Large blocks stay out of it: glibc would otherwise raise the size from which it maps them after
/// the first is freed, and keep one password hash's memory per thread for good. Threads share four
/// heaps instead of eight for each processor, each with free room of its own; with two, the writer
/// spends a tenth of its time waiting for the workers to allocate.
pub fn set_up() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt takes two numbers, and nothing else runs yet.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1024 * 1024);
        libc::mallopt(libc::M_ARENA_MAX, 4);
    }
}

/// Gives the free pages of all heaps back to the system. Takes some milliseconds in a large one.
pub fn give_back() {
    #[cfg(target_os = "linux")]
    cells::give_back();
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim takes a number and may be called from any thread at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
