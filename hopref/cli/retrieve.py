"""``hopref retrieve``: store pictures, corrupt them, retrieve them."""
from hopref.cli.images import add_images, add_preparation, default_normalisation, read_images
from hopref.cli.output import add_json, print_json, print_table
from hopref.experiments.recall import ORDERS, RULES, Settings, recall

__all__ = ["configure", "run"]


def configure(parser):
    """Add the options of the command."""
    default = Settings()
    add_images(parser)
    parser.add_argument("--rule", choices=RULES, default=default.rule, metavar="RULE",
                        help=f"one of {', '.join(RULES)} (default: {default.rule})")
    add_preparation(parser, default.corruption)
    parser.add_argument("--steps", type=int, metavar="K",
                        help="maximum number of updates (default: 100; the blog's figures use 1)")
    parser.add_argument("--beta", type=float, default=default.beta,
                        help="inverse temperature of the modern and performer rules (default: 25)")
    parser.add_argument("--theta", type=float,
                        help="thresholded rules set components above it to 0 (default: -0.5; +0.5 "
                             "for the performer, as in the blog)")
    parser.add_argument("--order", choices=ORDERS, default=default.order,
                        help="whether a thresholded rule thresholds normalised patterns (the "
                             "default), or pictures that are normalised afterwards (one step)")
    parser.add_argument("--scale", type=float, default=default.scale,
                        help="factor of the Hebbian weights of the classical and graded rules "
                             "(default: 1)")
    parser.add_argument("--zero-diagonal", action="store_true",
                        help="set the diagonal of W to 0 (classical and graded)")
    parser.add_argument("--ties", choices=["keep", "plus"], default=default.ties,
                        help="result of a local field of 0 (classical); noisy cues need 'plus'")
    parser.add_argument("--features", type=int, default=default.features, metavar="M",
                        help="number of random features of the performer rules (default: 256)")
    parser.add_argument("--out", metavar="FILE.png",
                        help="draw the stored, corrupted and retrieved pictures into a file")
    add_json(parser)


def run(options):
    """Retrieve the pictures; print one row for each."""
    images, names = read_images(options)
    settings = _settings(options)
    result = recall(images, settings)
    if options.out:
        from hopref.experiments.drawing import draw_recall, save
        save(draw_recall(result, names), options.out)
    rows = result.rows(names)
    if options.json:
        print_json({"schema": "hopref.retrieve/1", "settings": vars(settings), "pictures": rows,
                    "retrieved": int(result.retrieved.sum()), "share_zeroed": result.share_zeroed,
                    "drawing": options.out})
        return 0
    print_table(["picture", "retrieved", "nearest", "error", "weight", "steps", "reason"],
                [[r["picture"], r["retrieved"], r["nearest"], r["relative_error"],
                  r["target_weight"], r["steps"], r["reason"]] for r in rows])
    if result.share_zeroed is not None:
        print(f"theta = {settings.theta:g} sets {result.share_zeroed:.0%} of the patterns to 0")
    print(f"{result.retrieved.sum()} of {len(rows)} retrieved"
          + (f"; drawn in {options.out}" if options.out else ""))
    return 0


def _settings(options):
    theta = 0.5 if options.rule == "performer-thresholded" else -0.5
    steps = 100 if options.order == ORDERS[0] else 1
    return Settings(
        rule=options.rule,
        normalisation=options.normalise or default_normalisation(options.rule),
        corruption=options.corrupt, order=options.order,
        steps=steps if options.steps is None else options.steps, beta=options.beta,
        theta=theta if options.theta is None else options.theta, scale=options.scale,
        zero_diagonal=options.zero_diagonal, ties=options.ties, features=options.features,
        seed=options.seed)
