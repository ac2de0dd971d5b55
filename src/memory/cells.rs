//! Cells: blocks that begin where two cache lines do, as the runtime wants one for each task and
//! one for each socket. glibc cuts such a block out of a larger one, and what it leaves beside it,
//! or where it was, hardly anything fits into. Here cell stands beside cell, the lowest are taken
//! first, and memory that no longer holds any is given back.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where cells begin, in bytes.
const ALIGN: usize = 128;
/// Addresses for the cells of one size; of memory they take only what is used.
const ROOM: usize = 64 * 1024 * 1024;
/// Cells that the book counts in one word, and that are given back together: 16 KiB or more, whole
/// pages wherever those are not larger.
const WORD: usize = 64;

/// The heap of the program: the system's, with cells.
pub struct Heap;

/// An open stream has two cells of the first size: its task, and the socket's registration. A
/// connection that hyper serves has one of the second.
static CELLS: [Cells; 2] = [Cells::of(256), Cells::of(2048)];

/// Returns the cells for such a block, if there are any.
fn cells_for(layout: Layout) -> Option<&'static Cells> {
    let mut cells = CELLS.iter().filter(|_| layout.align() == ALIGN);
    cells.find(|cells| layout.size() <= cells.size)
}

/// All cells of one size.
struct Cells {
    size: usize,
    /// Where the first is; null before anybody wants one.
    start: AtomicPtr<u8>,
    book: Mutex<Book>,
}

impl Cells {
    const fn of(size: usize) -> Cells {
        let book = Book { taken: [0; Book::WORDS], words: ROOM / size / WORD, first: 0, end: 0 };
        Cells { size, start: AtomicPtr::new(ptr::null_mut()), book: Mutex::new(book) }
    }

    /// Takes a cell; none when all are taken or the system has no addresses for them.
    fn take(&self) -> Option<*mut u8> {
        let mut book = self.book();
        let mut start = self.start.load(Ordering::Relaxed);
        if start.is_null() {
            start = reserve()?;
            self.start.store(start, Ordering::Relaxed);
        }
        let cell = book.take()?;
        // SAFETY: the book counts no cell beyond the end of the room.
        Some(unsafe { start.add(cell * self.size) })
    }

    /// Puts a cell back; false when `block` is none of these.
    fn put_back(&self, block: *mut u8) -> bool {
        let start = self.start.load(Ordering::Relaxed);
        let place = (block as usize).wrapping_sub(start as usize);
        let is_cell = !start.is_null() && place < ROOM;
        if is_cell {
            self.book().put_back(place / self.size);
        }
        is_cell
    }

    /// Gives back the memory of cells that nobody has taken.
    fn give_back(&self) {
        let mut book = self.book();
        let (start, length) = (self.start.load(Ordering::Relaxed), WORD * self.size);
        for word in book.empty() {
            // SAFETY: nobody has taken these cells, nor can while the book is ours.
            unsafe { libc::madvise(start.add(word * length).cast(), length, libc::MADV_DONTNEED) };
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which cells of one size are taken.
struct Book {
    /// One bit for each cell.
    taken: [u64; Book::WORDS],
    /// So many of the words count.
    words: usize,
    /// No word before this one has a free cell.
    first: usize,
    /// No word from here on has been used since memory was given back.
    end: usize,
}

impl Book {
    const WORDS: usize = 4096;

    /// Takes the first free cell.
    fn take(&mut self) -> Option<usize> {
        while let Some(word) = self.taken.get_mut(..self.words)?.get_mut(self.first) {
            let bit = word.trailing_ones() as usize;
            if bit < WORD {
                *word |= 1 << bit;
                self.end = self.end.max(self.first + 1);
                return Some(self.first * WORD + bit);
            }
            self.first += 1;
        }
        None
    }

    fn put_back(&mut self, cell: usize) {
        if let Some(word) = self.taken.get_mut(cell / WORD) {
            *word &= !(1 << (cell % WORD));
            self.first = self.first.min(cell / WORD);
        }
    }

    /// Returns the words that have been used and have no cell taken any more, and forgets the last
    /// of them.
    fn empty(&mut self) -> impl Iterator<Item = usize> {
        let used = self.taken.get(..self.end).unwrap_or_default();
        self.end = used.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        used.iter().enumerate().filter(|(_, word)| **word == 0).map(|(at, _)| at)
    }
}

/// Has the system set addresses apart.
fn reserve() -> Option<*mut u8> {
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping touches nothing that is there, and the advice changes no content.
    unsafe {
        let room = libc::mmap(ptr::null_mut(), ROOM, rights, kind, -1, 0);
        if room == libc::MAP_FAILED {
            return None;
        }
        // A page of 2 MiB for the first few cells would be dear.
        libc::madvise(room, ROOM, libc::MADV_NOHUGEPAGE);
        Some(room.cast())
    }
}

/// Gives back the memory of all cells that nobody has taken.
pub(super) fn give_back() {
    CELLS.iter().for_each(Cells::give_back);
}

// SAFETY: a cell is as long as a block that it is for, begins where that must, and is its taker's
// alone until it is put back; every other block is the system's from beginning to end.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let cell = cells_for(layout).and_then(Cells::take);
        // SAFETY: as our caller promises.
        cell.unwrap_or_else(|| unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if !cells_for(layout).is_some_and(|cells| cells.put_back(block)) {
            // SAFETY: it is no cell, so that the system gave it.
            unsafe { System.dealloc(block, layout) }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let Some(cell) = cells_for(layout).and_then(Cells::take) else {
            // SAFETY: as our caller promises.
            return unsafe { System.alloc_zeroed(layout) };
        };
        // SAFETY: a cell is at least as long.
        unsafe { cell.write_bytes(0, layout.size()) };
        cell
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.align() != ALIGN {
            // SAFETY: as our caller promises; no cell is aligned in another way.
            return unsafe { System.realloc(block, layout, size) };
        }
        // SAFETY: our caller promises that the new size is right for this alignment.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, ALIGN));
            if !new.is_null() {
                ptr::copy_nonoverlapping(block, new, size.min(layout.size()));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{GlobalAlloc, Layout};
    use std::sync::Mutex;

    use super::{ALIGN, Book, Cells, Heap, WORD};

    fn book(words: usize) -> Book {
        Book { taken: [0; Book::WORDS], words, first: 0, end: 0 }
    }

    #[test]
    fn the_lowest_cell_is_taken_first_and_a_full_room_gives_none() {
        let mut book = book(2);
        let all: Vec<_> = std::iter::from_fn(|| book.take()).collect();
        assert_eq!(all, (0..2 * WORD).collect::<Vec<_>>());
        for cell in [70, 3, 5] {
            book.put_back(cell);
        }
        assert_eq!([book.take(), book.take(), book.take()], [Some(3), Some(5), Some(70)]);
        assert_eq!(book.take(), None);
    }

    #[test]
    fn what_no_longer_holds_a_cell_is_given_back_once() {
        let mut book = book(4);
        (0..3 * WORD).for_each(|_| assert!(book.take().is_some()));
        // Of the first word nothing is left, of the second one cell, of the third nothing.
        (0..3 * WORD).filter(|cell| *cell != WORD + 1).for_each(|cell| book.put_back(cell));
        assert_eq!(book.empty().collect::<Vec<_>>(), [0, 2]);
        // The last is forgotten; what lies before one that is held may be asked for again.
        assert_eq!(book.empty().collect::<Vec<_>>(), [0]);
    }

    #[test]
    fn a_block_is_aligned_its_own_and_keeps_its_content() {
        for size in [200, 256, 257, 1920, 2048, 2049, 100_000] {
            let layout = Layout::from_size_align(size, ALIGN).unwrap();
            // SAFETY: each block is used within its size and freed with its layout.
            unsafe {
                let (one, two) = (Heap.alloc(layout), Heap.alloc(layout));
                assert!([one, two].iter().all(|block| (*block as usize).is_multiple_of(ALIGN)));
                one.write_bytes(1, size);
                two.write_bytes(2, size);
                let grown = Heap.realloc(one, layout, size + 300);
                let kept = std::slice::from_raw_parts(grown, size);
                assert!(kept.iter().all(|byte| *byte == 1), "{size}");
                Heap.dealloc(two, layout);
                let clean = Heap.alloc_zeroed(layout);
                assert!(std::slice::from_raw_parts(clean, size).iter().all(|byte| *byte == 0));
                Heap.dealloc(clean, layout);
                let larger = Layout::from_size_align(size + 300, ALIGN).unwrap();
                Heap.dealloc(grown, larger);
            }
        }
    }

    #[test]
    fn what_was_given_back_can_be_taken_again() {
        let cells = Cells::of(256);
        let all: Vec<_> = (0..WORD).map(|_| cells.take().unwrap()).collect();
        for cell in &all {
            // SAFETY: it was taken, and is as long as that.
            unsafe { cell.write_bytes(7, 256) };
            assert!(cells.put_back(*cell));
        }
        cells.give_back();
        let first = cells.take().unwrap();
        assert_eq!(first, all[0]);
        // SAFETY: as above. The system gives memory anew, which is empty.
        assert_eq!(unsafe { *first }, 0);
        let foreign = Box::new(1_u8);
        assert!(!cells.put_back(std::ptr::from_ref(&*foreign).cast_mut()));
    }

    #[test]
    fn threads_never_get_the_same_cell() {
        let cells = Cells::of(256);
        let taken = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mine: Vec<_> = (0..500).map(|_| cells.take().unwrap() as usize).collect();
                    taken.lock().unwrap().extend(mine);
                });
            }
        });
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len(), 2000);
    }
}
