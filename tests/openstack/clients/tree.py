"""Trees of files that a client carries: made, described, compared."""
import hashlib
import os
import random


def make(folder, count, size, seed=1):
    """`count` files of up to `size` bytes in folders of odd names."""
    numbers = random.Random(seed)
    for n in range(count):
        place = folder / ('d%02d' % (n % 40)) / ('sub %d' % (n % 7) if n % 3 else 'ä+%&#')
        place.mkdir(parents=True, exist_ok=True)
        (place / ('file %04d é.bin' % n)).write_bytes(numbers.randbytes(numbers.randrange(size + 1)))
    return folder


def change(folder, seed):
    """Another content for every tenth file, a new file, one that goes.

    The times are seconds later: duplicity takes a file for the same whose time is, to the second.
    """
    numbers = random.Random(seed)
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    for path in files[seed % 10::10]:
        later = path.stat().st_mtime + 10 * (seed + 1)
        path.write_bytes(numbers.randbytes(numbers.randrange(1, 5000)))
        os.utime(path, (later, later))
    files[-1].unlink()
    (folder / ('new %d' % seed)).write_bytes(numbers.randbytes(2000))


def digests(folder):
    """{relative name: SHA-256} of all files."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob('*') if path.is_file()}


def big(path, mebibytes):
    """A file that no compression could shrink, each MiB another; its SHA-256."""
    block = bytearray(random.Random(2).randbytes(1 << 20))
    digest = hashlib.sha256()
    with open(path, 'wb') as file:
        for n in range(mebibytes):
            block[:8] = n.to_bytes(8, 'big')
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def sha256(path):
    with open(path, 'rb') as file:
        return hashlib.file_digest(file, 'sha256').hexdigest()
