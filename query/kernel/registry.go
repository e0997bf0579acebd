package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// implementation is what the registry holds for one overload: a kernel that never sees NULLs, or a function that takes them.
type implementation struct {
	strict kernel
	lax    Func
	// prepare, if set, makes a strict kernel that has done beforehand what depends on constants alone, such as compiling a
	// pattern. constants holds nil for arguments that vary; all others are not NULL. It may return a nil kernel.
	prepare func(constants []arrow.Array) (kernel, error)
}

// registry maps signatures to implementations.
type registry map[string]implementation

// functions holds every scalar overload. It is filled before main and never changes.
var functions = buildRegistry()

func buildRegistry() registry {
	r := registry{}
	registerComparisons(r)
	registerJSONComparisons(r)
	registerDistinct(r)
	registerLogic(r)
	registerIsNull(r)
	registerBigintArithmetic(r)
	registerDoubleArithmetic(r)
	registerRounding(r)
	registerMath(r)
	registerIntegers(r)
	registerNumericArithmetic(r)
	registerNumericRounding(r)
	registerNumericScale(r)
	registerDateArithmetic(r)
	registerTimeOfDay(r)
	registerBytes(r)
	registerText(r)
	registerLike(r)
	registerRegex(r)
	registerRegexFunctions(r)
	registerJSONAccess(r)
	registerJSONPaths(r)
	registerJSONTests(r)
	registerJSONBuilding(r)
	registerNow(r)
	registerRandom(r)
	registerTimeArithmetic(r)
	registerIntervalArithmetic(r)
	registerTimeBucket(r)
	registerDateTrunc(r)
	registerExtract(r)
	registerTimeZones(r)
	registerDateParts(r)
	registerTimeText(r)
	registerNumberText(r)
	registerIntervalScaling(r)
	r.strict("age(TIMESTAMPTZ, TIMESTAMPTZ)", age)
	r.strict("extract(TEXT, INTERVAL)", extractFromInterval)
	r.strict("epoch(INTERVAL)", epochOfInterval)
	registerCoalesce(r)
	registerExtremes(r)
	registerNullIf(r)
	r.guardInfinities()
	return r
}

func (r registry) strict(signature string, k kernel) { r[signature] = implementation{strict: k} }

func (r registry) lax(signature string, f Func) { r[signature] = implementation{lax: f} }

func registerText(r registry) {
	registerLetterCase(r)
	r.strict("||(TEXT, TEXT)", concatenate)
	registerConcat(r)
	r.lax("format(TEXT, TEXT...)", format)
	r.lax("format(TEXT)", format)
	registerTrims(r)
	registerCharacters(r)
	r.strict("length(TEXT)", characters)
	r.strict("starts_with(TEXT, TEXT)", startsWith)
	r.strict("substr(TEXT, BIGINT)", substring(characterUnit))
	r.strict("substr(TEXT, BIGINT, BIGINT)", substring(characterUnit))
	r.strict("replace(TEXT, TEXT, TEXT)", replace)
	r.strict("split_part(TEXT, TEXT, BIGINT)", splitPart)
	r.strict("left(TEXT, BIGINT)", textByCount(leftOf))
	r.strict("right(TEXT, BIGINT)", textByCount(rightOf))
	r.strict("repeat(TEXT, BIGINT)", textByCount(repeated))
	for name, atStart := range map[string]bool{"lpad": true, "rpad": false} {
		r.strict(name+"(TEXT, BIGINT)", pad(name, atStart))
		r.strict(name+"(TEXT, BIGINT, TEXT)", pad(name, atStart))
	}
	r.strict("strpos(TEXT, TEXT)", position)
	r.strict("ends_with(TEXT, TEXT)", textTest(strings.HasSuffix))
	r.strict("contains(TEXT, TEXT)", textTest(strings.Contains))
	r.strict("overlay(TEXT, TEXT, BIGINT)", overlay(characterUnit))
	r.strict("overlay(TEXT, TEXT, BIGINT, BIGINT)", overlay(characterUnit))
	r.strict("like_escape(TEXT, TEXT)", escapeLike)
}
