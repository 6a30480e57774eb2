"""`python -m tsunagi_verifier`."""

import sys

from tsunagi_verifier.command import main

sys.exit(main())
