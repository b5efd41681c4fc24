"""What two series of answers come to: alike, listed, or neither."""
from truth import normal
from truth.compare import Side, differences, matches


class Verdict:
    """For each entry: its differences, and those of them that no one listed."""

    def __init__(self, real, other, real_values, other_values, listed, is_whole):
        self.found = []
        self.unlisted = []
        self.reasons = set()
        used = set()
        theirs, ours = normal.known(real_values), normal.known(other_values)
        for one, another in zip(real, other, strict=True):
            name = one.request.name
            here = differences(Side(one, theirs), Side(another, ours))
            self.found.append((name, here))
            for difference in here:
                rows = [(row, entry) for row in listed for entry in row.entries
                        if matches(entry, name) and matches(row.what, difference)]
                if not rows:
                    self.unlisted.append((one, another, difference))
                used.update((row, entry) for row, entry in rows)
                self.reasons.update(row.reason for row, _ in rows)
        # A part of the list does not tell what the whole would.
        self.stale = ['%s: %s' % (entry, row.what) for row in listed for entry in row.entries
                      if is_whole and (row, entry) not in used]

    @property
    def asked(self):
        return len(self.found)

    @property
    def alike(self):
        """Entries without a difference that is not listed."""
        return self.asked - len({one.request.name for one, _, _ in self.unlisted})

    @property
    def listed(self):
        """Entries that are alike but for a listed difference."""
        bad = {one.request.name for one, _, _ in self.unlisted}
        return sum(1 for name, here in self.found if here and name not in bad)

    @property
    def holds(self):
        return not self.unlisted and not self.stale
