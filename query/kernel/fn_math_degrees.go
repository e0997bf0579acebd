package kernel

import "math"

// degreeMath are the functions of angles in degrees, by their names. Where degrees have an exact answer, such as the sine of 30, they
// give it, which radians cannot.
var degreeMath = map[string]func(float64) (float64, string){
	"sind":  periodic(sineOfDegrees),
	"cosd":  periodic(cosineOfDegrees),
	"tand":  tangentOfDegrees,
	"asind": within(-1, 1, func(v float64) float64 { return exactDegrees(v, math.Asin(v), map[float64]float64{0.5: 30, 1: 90}) }),
	"acosd": within(-1, 1, func(v float64) float64 {
		return 90 - exactDegrees(v, math.Asin(v), map[float64]float64{0.5: 30, 1: 90})
	}),
	"atand": func(v float64) (float64, string) {
		return exactDegrees(v, math.Atan(v), map[float64]float64{1: 45, math.Inf(1): 90}), ""
	},
}

// exactDegrees is an angle in degrees; that of v, or of -v with the other sign, comes from a table where it is there.
func exactDegrees(v, radians float64, exact map[float64]float64) float64 {
	if angle, ok := exact[math.Abs(v)]; ok {
		return math.Copysign(angle, v)
	}
	return radians * (180 / math.Pi)
}

func sineOfDegrees(v float64) float64 {
	v = math.Mod(v, 360) // exact, with the sign of v
	switch angle := math.Abs(v); {
	case angle >= 180:
		return 0 - sineOfDegrees(math.Copysign(angle-180, v)) // never minus zero
	case angle > 90:
		return sineOfDegrees(math.Copysign(180-angle, v))
	case angle == 30:
		return math.Copysign(0.5, v)
	case angle > 45: // nearer to the cosine's flat top
		return math.Copysign(math.Cos((90-angle)/180*math.Pi), v)
	default:
		return math.Sin(v / 180 * math.Pi)
	}
}

func cosineOfDegrees(v float64) float64 {
	angle := math.Mod(math.Abs(v), 360)
	if angle > 180 {
		angle = 360 - angle
	}
	// The sine of what is left to 90 degrees, which is exact for all angles that have more than the last bits of 90.
	return sineOfDegrees(90 - angle)
}

func tangentOfDegrees(v float64) (float64, string) {
	if math.IsInf(v, 0) {
		return 0, "an angle is finite"
	}
	sine, cosine := sineOfDegrees(v), cosineOfDegrees(v)
	if cosine == 0 {
		return 0, "there is no tangent of a right angle"
	}
	if math.Mod(math.Abs(v), 90) == 45 {
		return math.Copysign(1, sine*cosine), ""
	}
	return 0 + sine/cosine, "" // never minus zero
}
