"""The suite itself, which the source archive of Swift holds: the version that the lab runs."""
import shutil
import tarfile
from pathlib import Path

from clients import tools

LAB = Path(__file__).resolve().parents[1] / 'lab/requirements.txt'


def suite(python):
    """The folder that holds `test/functional`; fetched from Python's index into the cache if it is missing."""
    wanted = next(line for line in LAB.read_text().splitlines() if line.startswith('swift=='))
    place = tools.folder() / wanted.replace('==', '-')
    with tools.locked('swift'):
        if not (place / 'test/functional').is_dir():
            print('swift functional: fetching the source of ' + wanted, flush=True)
            download = tools.folder() / 'download'
            shutil.rmtree(download, ignore_errors=True)
            tools.quietly(python, '-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps',
                          '--no-binary', ':all:', '-d', download, wanted)
            with tarfile.open(next(download.glob('swift-*.tar.gz'))) as archive:
                # no more than this: the rest would hide the packages that are installed
                tests = [member for member in archive if member.name.startswith(place.name + '/test/')]
                archive.extractall(download, tests, filter='data')
            (download / place.name).rename(place)
            shutil.rmtree(download)
    return place
