"""The cases, one subject a file."""
from pkgutil import iter_modules

for module in iter_modules(__path__):
    __import__('%s.%s' % (__name__, module.name))
