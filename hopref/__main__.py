"""python -m hopref"""
from hopref.cli import main

raise SystemExit(main())
